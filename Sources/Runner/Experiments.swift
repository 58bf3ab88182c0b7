// What an experiment says belongs to what runs it: who imports Runner has both.

@_exported import Experiments

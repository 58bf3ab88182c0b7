// The plug-ins.

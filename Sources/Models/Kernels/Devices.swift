// The devices that models can compute on.

package let devices: [any Backend.Type] = [
  CPUBackend.self
]

/// What stages compute on: the first device of the list.
package let stageDevice: any Backend.Type = devices[0]

import Faultline

/// Races about a device that is mapped as a whole and taken away meanwhile: no page of it is held or shown by anybody
/// afterwards.
extension Scenario {
  static var devices: [Scenario] {
    [
      Scenario(
        name: "pin-remove", summary: "a pin without locks of a device's pages against its removal, which waits for it",
        stage: stored, threads: [ThreadPlan(name: "pin", actions: [.pinNow(0..<2), .unpin]), removal]),
      Scenario(
        name: "get-remove", summary: "references taken without locks on a device's pages against its removal",
        stage: stored,
        threads: [ThreadPlan(name: "get", actions: [.pinNow(0..<2), .unpin], holds: .reference), removal]),
      Scenario(
        name: "pin-refused-remove",
        summary: "a pin without locks against a removal that is refused while pages are held",
        stage: stored,
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(0..<1), .unpin]),
          ThreadPlan(name: "remove", actions: [.removeDevice(.refuse)]),
        ]),
      Scenario(
        name: "store-remove", summary: "a store that faults a device's page in against its removal",
        stage: Stage.Plan(pages: 2, isShared: true, device: 0),
        threads: [ThreadPlan(name: "store", actions: [.store(0)], allowed: [.bus(.adrErr)]), removal]),
      Scenario(
        name: "munmap-remove",
        summary: "munmap of a device's pages against its removal: one of them takes the entries out",
        stage: stored, threads: [ThreadPlan(name: "munmap", actions: [.munmap(0..<2)]), removal]),
      Scenario(
        name: "pin-huge-remove", summary: "a pin inside what one entry maps of a device against its removal",
        stage: Stage.Plan(pages: 512, isShared: true, stored: [0], device: 9),
        threads: [ThreadPlan(name: "pin", actions: [.pinNow(100..<120), .unpin]), removal]),
    ]
  }

  private static let stored = Stage.Plan(pages: 2, isShared: true, stored: [0, 1], device: 0)
  private static let removal = ThreadPlan(name: "remove", actions: [.removeDevice(.wait)])
}

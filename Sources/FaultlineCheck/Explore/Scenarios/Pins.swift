import Faultline

/// Races of a pin with whatever takes pages away, moves them or shares them.
extension Scenario {
  static var pins: [Scenario] { pinsOfPrivateMemory + pinsOfFiles + pinsOfHuge }

  private static let pinOne = ThreadPlan(name: "pin", actions: [.pin(0..<1), .unpin])
  private static let pinTwoNow = ThreadPlan(name: "pin", actions: [.pinNow(0..<2), .unpin])

  private static var pinsOfPrivateMemory: [Scenario] {
    [
      Scenario(
        name: "pin-munmap", summary: "a pin without locks against munmap: the page is not freed under it",
        stage: Stage.Plan(pages: 2, isAnonymous: true, stored: [0, 1]),
        threads: [pinTwoNow, ThreadPlan(name: "munmap", actions: [.munmap(0..<2)])]),
      Scenario(
        name: "pin-mremap", summary: "a pin without locks against mremap, which takes the entries elsewhere",
        stage: Stage.Plan(pages: 2, isAnonymous: true, stored: [0, 1]),
        threads: [pinTwoNow, ThreadPlan(name: "mremap", actions: [.mremap(0..<2)])]),
      Scenario(
        name: "pin-fork", summary: "a pin against fork: a pinned page stays the one that the program stores to",
        stage: Stage.Plan(pages: 1, isAnonymous: true, stored: [0], keepsStores: true),
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(0..<1), .store(0), .unpin]),
          ThreadPlan(name: "fork", actions: [.fork]),
        ]),
      Scenario(
        name: "pin-fault", summary: "a pin that faults its page in against a store that does the same",
        stage: Stage.Plan(pages: 1, isAnonymous: true, keepsStores: true),
        threads: [pinOne, ThreadPlan(name: "store", actions: [.store(0)])]),
      Scenario(
        name: "pin-child", summary: "a pin for stores of a page shared with a child against the child's store",
        stage: Stage.Plan(pages: 1, isAnonymous: true, stored: [0], keepsStores: true, hasChild: true),
        threads: [pinOne, ThreadPlan(name: "child's store", actions: [.childStore(0)])]),
      Scenario(
        name: "pin-pin", summary: "two pins of one page, with and without locks",
        stage: Stage.Plan(pages: 1, isAnonymous: true, stored: [0], keepsStores: true),
        threads: [pinOne, ThreadPlan(name: "other pin", actions: [.pinNow(0..<1), .unpin])]),
    ]
  }

  private static var pinsOfFiles: [Scenario] {
    [
      Scenario(
        name: "pin-truncate", summary: "a pin without locks of a file's pages against truncation",
        stage: Stage.Plan(pages: 2, isShared: true, stored: [0, 1]),
        threads: [pinTwoNow, ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)])]),
      Scenario(
        name: "pin-punch", summary: "a pin of a file's page, with faults, against a hole there",
        stage: Stage.Plan(pages: 2, isShared: true),
        threads: [pinOne, ThreadPlan(name: "punch", actions: [.punch(0..<1)])]),
      Scenario(
        name: "pin-writeback", summary: "a pin for stores against writeback, which makes entries read-only",
        stage: Stage.Plan(pages: 2, isShared: true, stored: [0, 1]),
        threads: [pinTwoNow, ThreadPlan(name: "writeback", actions: [.writeBack])]),
      Scenario(
        name: "pin-reclaim", summary: "a pin without locks against reclaim of the page",
        stage: Stage.Plan(pages: 1, isShared: true, stored: [0]),
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(0..<1), .unpin]),
          ThreadPlan(name: "squeeze", actions: [.writeBack, .squeeze]),
        ]),
      Scenario(
        name: "pin-split", summary: "a pin of pages in the middle of a folio against a hole, which splits it",
        stage: Stage.Plan(isShared: true, stored: [2, 3], isOneFolio: true),
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(2..<4), .unpin]),
          ThreadPlan(name: "punch", actions: [.writeBack, .punch(1..<2)]),
        ]),
      Scenario(
        name: "pin-folio-reclaim", summary: "a pin of pages in the middle of a folio against reclaim of all of it",
        stage: Stage.Plan(isShared: true, stored: [1, 2], isOneFolio: true),
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(1..<3), .unpin]),
          ThreadPlan(name: "squeeze", actions: [.writeBack, .squeeze]),
        ]),
      Scenario(
        name: "pin-folio-truncate", summary: "a pin, with faults, of a folio's pages against truncation inside it",
        stage: Stage.Plan(isShared: true, loaded: [0, 3], isOneFolio: true),
        threads: [
          ThreadPlan(name: "pin", actions: [.pin(0..<2), .unpin]),
          ThreadPlan(name: "truncate", actions: [.writeBack, .truncate(pages: 3)]),
        ]),
    ]
  }
}

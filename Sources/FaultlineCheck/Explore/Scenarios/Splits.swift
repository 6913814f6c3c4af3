import Faultline

/// Races with the split of a folio of four pages.
extension Scenario {
  static var againstSplit: [Scenario] {
    [
      Scenario(
        name: "load-split", summary: "a load against a hole in the same folio, which is split for it",
        stage: Stage.Plan(isShared: true, isOneFolio: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(3)]),
          ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
        ]),
      Scenario(
        name: "mapped-split", summary: "a load against the split of a folio that is mapped",
        stage: Stage.Plan(isShared: true, loaded: [0, 3], isOneFolio: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(2), .load(3)]),
          ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
        ]),
      Scenario(
        name: "store-split", summary: "a shared store, which makes the folio dirty, against its split",
        stage: Stage.Plan(isShared: true, keepsStores: true, isOneFolio: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(3)]),
          ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
        ]),
      Scenario(
        name: "split-truncate", summary: "the split of a folio that advice sees in part against truncation inside it",
        stage: Stage.Plan(isShared: true, loaded: [0, 3], isOneFolio: true),
        threads: [
          ThreadPlan(name: "cold", actions: [.cool(0..<1)]),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 3)]),
        ]),
    ]
  }
}

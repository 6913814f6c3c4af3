import Faultline

/// Races with the making of one huge folio out of the pages of a file in memory.
///
/// The call keeps faults out of its own address space for its length; those of others that map the file go on.
extension Scenario {
  static var againstCollapse: [Scenario] {
    let collapse = ThreadPlan(name: "collapse", actions: [.collapse])
    return [
      Scenario(
        name: "load-collapse", summary: "a load against MADV_COLLAPSE of its page",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, couldBeHuge: true),
        threads: [ThreadPlan(name: "load", actions: [.load(1)]), collapse]),
      Scenario(
        name: "store-collapse", summary: "stores of a child against MADV_COLLAPSE in its parent: none may be lost",
        stage: Stage.Plan(pages: 512, isShared: true, keepsStores: true, couldBeHuge: true, hasChild: true),
        threads: [ThreadPlan(name: "child's store", actions: [.childStore(1), .childStore(7)]), collapse]),
      Scenario(
        name: "table-collapse", summary: "a child's load, under a table that MADV_COLLAPSE in its parent takes out",
        stage: Stage.Plan(
          pages: 512, isShared: true, loaded: [0], couldBeHuge: true, hasChild: true, childLoaded: [2]),
        threads: [ThreadPlan(name: "child's load", actions: [.childLoad(1)]), collapse]),
      Scenario(
        name: "write-collapse", summary: "write(2) into a hole against MADV_COLLAPSE, which fills it",
        stage: Stage.Plan(pages: 512, isShared: true, keepsStores: true, couldBeHuge: true),
        threads: [ThreadPlan(name: "write", actions: [.write(9)]), collapse]),
      Scenario(
        name: "truncate-collapse", summary: "truncation against MADV_COLLAPSE of what it takes away",
        stage: Stage.Plan(pages: 512, isShared: true, loaded: [0], couldBeHuge: true),
        threads: [ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]), collapse]),
    ]
  }
}

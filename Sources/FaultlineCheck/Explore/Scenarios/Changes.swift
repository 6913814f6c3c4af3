import Faultline

/// Two threads that walk a file's cache, of which one changes it and frees what it has taken out.
extension Scenario {
  static var changes: [Scenario] { underFaults + underEachOther }

  private static var underFaults: [Scenario] {
    let cut = ThreadPlan(name: "truncate", actions: [.truncate(pages: 0), .collect])
    return [
      Scenario(
        name: "load-node", summary: "a load against truncation to nothing, which frees the cache's nodes",
        stage: Stage.Plan(pages: 2),
        threads: [ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd), cut]),
      Scenario(
        name: "around-node", summary: "fault-around against truncation to nothing, which frees the cache's nodes",
        stage: Stage.Plan(aroundPages: 4),
        threads: [ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd), cut]),
      Scenario(
        name: "store-node", summary: "a private store, which copies, against truncation to nothing and its freed nodes",
        stage: Stage.Plan(pages: 2, loaded: [1]),
        threads: [ThreadPlan(name: "store", actions: [.store(1)], allowed: beyondEnd), cut]),
    ]
  }

  private static var underEachOther: [Scenario] {
    let drop = ThreadPlan(name: "drop", actions: [.dropCaches, .collect])
    let write = ThreadPlan(name: "write", actions: [.write(1)])
    return [
      Scenario(
        name: "write-drop", summary: "write(2) against dropping what is clean: what was written must reach the file",
        stage: Stage.Plan(pages: 2, isShared: true, keepsStores: true), threads: [write, drop]),
      Scenario(
        name: "write-load", summary: "write(2) against the load of a page that is not cached",
        stage: Stage.Plan(pages: 2, isShared: true, keepsStores: true, isCold: true),
        threads: [write, ThreadPlan(name: "load", actions: [.load(1)])]),
      Scenario(
        name: "write-truncate", summary: "write(2) against truncation below its page",
        stage: Stage.Plan(pages: 2, isShared: true),
        threads: [write, ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)])]),
      Scenario(
        name: "truncate-drop", summary: "truncation against dropping what is clean, which frees the cache's nodes",
        stage: Stage.Plan(pages: 2),
        threads: [ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]), drop]),
      Scenario(
        name: "writeback-drop", summary: "writeback against dropping what is clean, which frees the cache's nodes",
        stage: Stage.Plan(pages: 2),
        threads: [ThreadPlan(name: "writeback", actions: [.writeBack]), drop]),
      Scenario(
        name: "punch-truncate", summary: "a punched hole against truncation of the same page",
        stage: Stage.Plan(pages: 2, isShared: true, stored: [1]),
        threads: [
          ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 1), .truncate(pages: 2)]),
        ]),
      Scenario(
        name: "writeback-truncate",
        summary: "writeback against truncation below its page, which frees the cache's nodes",
        stage: Stage.Plan(pages: 2, isShared: true, stored: [1]),
        threads: [
          ThreadPlan(name: "writeback", actions: [.writeBack]),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 0), .collect]),
        ]),
      Scenario(
        name: "squeeze-truncate", summary: "reclaim against truncation below its page, which frees the cache's nodes",
        stage: Stage.Plan(pages: 1),
        threads: [
          ThreadPlan(name: "squeeze", actions: [.squeeze]),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 0), .collect]),
        ]),
    ]
  }
}

import Faultline

/// Two threads of which one ends something: the last hold on a child's address space, or on a file. Whoever is in the middle
/// of using it must not be what ends it where its own locks stand in the way.
extension Scenario {
  static var endings: [Scenario] { endOfChild + endOfFile }

  private static var endOfChild: [Scenario] {
    let end = ThreadPlan(name: "end", actions: [.endChild])
    return [
      Scenario(
        name: "truncate-end", summary: "truncation against the end of a child that maps the page",
        stage: Stage.Plan(pages: 2, stored: [1], hasChild: true),
        threads: [ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]), end]),
      Scenario(
        name: "punch-end", summary: "a punched hole against the end of a child that maps the page",
        stage: Stage.Plan(pages: 2, stored: [0], hasChild: true, childLoaded: [1]),
        threads: [ThreadPlan(name: "punch", actions: [.punch(1..<2)]), end]),
      Scenario(
        name: "writeback-end", summary: "writeback against the end of a child that has stored to the page",
        stage: Stage.Plan(pages: 2, isShared: true, hasChild: true, childStored: [1]),
        threads: [ThreadPlan(name: "writeback", actions: [.writeBack]), end]),
      Scenario(
        name: "reclaim-end", summary: "reclaim against the end of a child that maps the page",
        stage: Stage.Plan(pages: 1, isShared: true, hasChild: true, childLoaded: [0]),
        threads: [ThreadPlan(name: "squeeze", actions: [.squeeze]), end]),
      Scenario(
        name: "store-end", summary: "a store to a page shared with a child against the child's end: copied or reused",
        stage: Stage.Plan(pages: 2, stored: [1], keepsStores: true, hasChild: true),
        threads: [ThreadPlan(name: "store", actions: [.store(1)]), end]),
      Scenario(
        name: "store-child-store", summary: "stores of parent and child to the page that they share",
        stage: Stage.Plan(pages: 2, stored: [1], keepsStores: true, hasChild: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]), ThreadPlan(name: "child's store", actions: [.childStore(1)]),
        ]),
      Scenario(
        name: "munmap-end", summary: "munmap in the parent against the end of its child",
        stage: Stage.Plan(pages: 2, stored: [1], hasChild: true),
        threads: [ThreadPlan(name: "munmap", actions: [.munmap(0..<2)]), end]),
      Scenario(
        name: "fork-end", summary: "a second fork against the end of the first child",
        stage: Stage.Plan(pages: 2, stored: [1], hasChild: true),
        threads: [ThreadPlan(name: "fork", actions: [.fork]), end]),
    ]
  }

  private static var endOfFile: [Scenario] {
    let close = ThreadPlan(name: "close", actions: [.close, .munmap(0..<2)])
    return [
      Scenario(
        name: "load-close", summary: "a load against munmap of a file that nobody else has open",
        stage: Stage.Plan(pages: 2),
        threads: [ThreadPlan(name: "load", actions: [.load(1)], allowed: gone), close]),
      Scenario(
        name: "store-close", summary: "a shared store against munmap of a file that nobody else has open",
        stage: Stage.Plan(pages: 2, isShared: true, loaded: [1]),
        threads: [ThreadPlan(name: "store", actions: [.store(1)], allowed: gone), close]),
      Scenario(
        name: "reclaim-close", summary: "reclaim of a file's page against the file's end",
        stage: Stage.Plan(pages: 1, loaded: [0]),
        threads: [ThreadPlan(name: "squeeze", actions: [.squeeze]), close]),
      Scenario(
        name: "truncate-close", summary: "truncation against munmap and close: whoever is last ends the file",
        stage: Stage.Plan(pages: 2, loaded: [1]),
        threads: [ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]), close]),
      Scenario(
        name: "end-close",
        summary: "a child that loads and ends against munmap and close in its parent: either may be last",
        stage: Stage.Plan(pages: 2, stored: [0], hasChild: true, childLoaded: [1]),
        threads: [ThreadPlan(name: "child's load", actions: [.childLoad(1), .endChild]), close]),
    ]
  }
}

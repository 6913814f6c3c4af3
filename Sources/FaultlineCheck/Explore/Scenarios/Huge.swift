import Faultline

/// Races about one entry that maps 2 MiB: who enters what first, and who takes it away.
extension Scenario {
  static var againstHuge: [Scenario] {
    [
      Scenario(
        name: "huge-table", summary: "a load that maps 2 MiB at once against a guard, which enters a table there",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)]),
          ThreadPlan(name: "guard", actions: [.guardPage(300)]),
        ]),
      Scenario(
        name: "huge-mark", summary: "a load of a cold huge entry against a guard, which puts a table in its place",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, loaded: [0], isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.cool(0..<512), .load(1)]),
          ThreadPlan(name: "guard", actions: [.guardPage(300)]),
        ]),
      Scenario(
        name: "huge-huge", summary: "two loads that would each map the same 2 MiB; one finds the folio locked",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, isHuge: true, endsHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)]),
          ThreadPlan(name: "other load", actions: [.load(400)]),
        ]),
      Scenario(
        name: "huge-store", summary: "two stores to a shared mapping, each of which would map 2 MiB",
        stage: Stage.Plan(pages: 512, isShared: true, keepsStores: true, isHuge: true, endsHuge: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "other store", actions: [.store(2)]),
        ]),
      Scenario(
        name: "huge-copy", summary: "a load that maps 2 MiB against a private store, which takes them out for a copy",
        stage: Stage.Plan(pages: 512, aroundPages: 16, loaded: [0], isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]),
          ThreadPlan(name: "store", actions: [.store(2)]),
        ]),
      Scenario(
        name: "huge-munmap", summary: "a load against munmap of a part of the 2 MiB",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, loaded: [0], isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]),
          ThreadPlan(name: "munmap", actions: [.munmap(500..<512)]),
        ]),
      Scenario(
        name: "huge-truncate", summary: "a load that maps 2 MiB against truncation to nothing",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 0)]),
        ]),
      Scenario(
        name: "huge-cut", summary: "a load of a huge entry against truncation inside the 2 MiB, which splits the folio",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, loaded: [0], isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(200)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 100)]),
        ]),
      Scenario(
        name: "huge-punch", summary: "a load that maps 2 MiB against a hole in them, which splits the folio",
        stage: Stage.Plan(pages: 512, isShared: true, aroundPages: 16, isHuge: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)]),
          ThreadPlan(name: "punch", actions: [.punch(300..<301)]),
        ]),
      Scenario(
        name: "huge-poison", summary: "a store to 2 MiB against the failure of another page of them",
        stage: Stage.Plan(pages: 512, isShared: true, loaded: [0], keepsStores: true, isHuge: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "poison", actions: [.poison(300)]),
        ]),
    ]
  }
}

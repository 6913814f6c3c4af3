import Faultline

/// Three and four threads: random schedules.
extension Scenario {
  static var mixes: [Scenario] {
    [
      Scenario(
        name: "mix-areas", summary: "a load and a store against munmap and mremap",
        stage: Stage.Plan(aroundPages: 4, loaded: [0]),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1), .load(3)], allowed: gone),
          ThreadPlan(name: "store", actions: [.store(2)], allowed: gone),
          ThreadPlan(name: "munmap", actions: [.munmap(2..<3)]),
          ThreadPlan(name: "mprotect", actions: [.mprotect(0..<1, .read), .mprotect(0..<1, [.read, .write])]),
        ]),
      Scenario(
        name: "mix-file", summary: "loads and shared stores against truncation and writeback",
        stage: Stage.Plan(isShared: true, aroundPages: 4, stored: [1]),
        threads: [
          ThreadPlan(name: "load", actions: [.load(2), .load(0)], allowed: beyondEnd),
          ThreadPlan(name: "store", actions: [.store(1), .store(3)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 1), .truncate(pages: 4)]),
          ThreadPlan(name: "writeback", actions: [.writeBack]),
        ]),
      Scenario(
        name: "mix-reclaim", summary: "a load and a shared store against reclaim and a punched hole",
        stage: Stage.Plan(isShared: true, loaded: [0, 1]),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1), .load(2)]),
          ThreadPlan(name: "store", actions: [.store(2)]),
          ThreadPlan(name: "reclaim", actions: [.pageOut(0..<4)]),
          ThreadPlan(name: "punch", actions: [.punch(2..<3)]),
        ]),
      Scenario(
        name: "mix-fork", summary: "two private stores against fork and munmap",
        stage: Stage.Plan(loaded: [2], stored: [1]),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1), .store(2)], allowed: gone),
          ThreadPlan(name: "other store", actions: [.store(2)], allowed: gone),
          ThreadPlan(name: "fork", actions: [.fork]),
          ThreadPlan(name: "munmap", actions: [.munmap(2..<4)]),
        ]),
      Scenario(
        name: "mix-big-lock", summary: "a load, a truncation and a munmap under the address space's lock",
        stage: Stage.Plan(lockMode: .mmapLock, aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1), .load(3)], allowed: gone + beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 2)]),
          ThreadPlan(name: "munmap", actions: [.munmap(0..<4)]),
        ]),
    ]
  }
}

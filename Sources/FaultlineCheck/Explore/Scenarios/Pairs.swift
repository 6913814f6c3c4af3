import Faultline

/// Two threads: every interleaving within the bound is explored.
extension Scenario {
  static let gone: [Signal] = [.segv(.mapErr)]
  static let forbidden: [Signal] = [.segv(.accErr)]
  static let beyondEnd: [Signal] = [.bus(.adrErr)]

  static var pairs: [Scenario] {
    againstMunmap + againstAreas + againstFile + againstReclaim + againstSplit + againstHuge + againstCollapse
      + againstEachOther
      + againstFork
  }

  private static var againstMunmap: [Scenario] {
    [LockMode.mmapLock, .perVMA].flatMap { mode in
      [
        Scenario(
          name: "load-munmap\(mode.suffix)", summary: "a load of a file page against munmap of its area",
          stage: Stage.Plan(lockMode: mode),
          threads: [
            ThreadPlan(name: "load", actions: [.load(1)], allowed: gone),
            ThreadPlan(name: "munmap", actions: [.munmap(0..<4)]),
          ]),
        Scenario(
          name: "entered-munmap\(mode.suffix)",
          summary: "loads of an entered page against munmap, which frees its table",
          stage: Stage.Plan(lockMode: mode, loaded: [1]),
          threads: [
            ThreadPlan(name: "load", actions: [.load(1)], allowed: gone),
            ThreadPlan(name: "munmap", actions: [.munmap(0..<4)]),
          ]),
      ]
    }
  }

  private static var againstAreas: [Scenario] {
    [LockMode.mmapLock, .perVMA].flatMap { mode in
      [
        Scenario(
          name: "store-munmap\(mode.suffix)", summary: "a private store against munmap of half of the area",
          stage: Stage.Plan(lockMode: mode, loaded: [1]),
          threads: [
            ThreadPlan(name: "store", actions: [.store(1)], allowed: gone),
            ThreadPlan(name: "munmap", actions: [.munmap(0..<2)]),
          ]),
        Scenario(
          name: "load-mremap\(mode.suffix)", summary: "a load against mremap, which moves the entries to another table",
          stage: Stage.Plan(lockMode: mode, loaded: [0]),
          threads: [
            ThreadPlan(name: "load", actions: [.load(1)], allowed: gone),
            ThreadPlan(name: "mremap", actions: [.mremap(0..<4)]),
          ]),
        Scenario(
          name: "store-mprotect\(mode.suffix)", summary: "a private store against mprotect that takes writing away",
          stage: Stage.Plan(lockMode: mode, loaded: [1]),
          threads: [
            ThreadPlan(name: "store", actions: [.store(1)], allowed: forbidden),
            ThreadPlan(name: "mprotect", actions: [.mprotect(0..<4, .read)]),
          ]),
        Scenario(
          name: "load-mprotect\(mode.suffix)", summary: "a load against mprotect that takes all access away",
          stage: Stage.Plan(lockMode: mode),
          threads: [
            ThreadPlan(name: "load", actions: [.load(1)], allowed: forbidden),
            ThreadPlan(name: "mprotect", actions: [.mprotect(0..<2, [])]),
          ]),
      ]
    }
  }

  private static var againstFile: [Scenario] {
    [
      Scenario(
        name: "load-truncate", summary: "a load against truncation below its page",
        stage: Stage.Plan(),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]),
        ]),
      Scenario(
        name: "load-truncate-memory", summary: "the same for a file that lives in memory",
        stage: Stage.Plan(isMemoryOnly: true, aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]),
        ]),
      Scenario(
        name: "around-truncate", summary: "fault-around over four pages against truncation of two of them",
        stage: Stage.Plan(aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 2)]),
        ]),
      Scenario(
        name: "copy-truncate", summary: "a private store, which copies, against truncation below its page",
        stage: Stage.Plan(),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 1)]),
        ]),
      Scenario(
        name: "load-regrow", summary: "a load against truncation to nothing and growth back",
        stage: Stage.Plan(pages: 2),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 0), .truncate(pages: 2)]),
        ]),
      Scenario(
        name: "load-punch", summary: "a load against a hole punched under it",
        stage: Stage.Plan(aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]),
          ThreadPlan(name: "punch", actions: [.punch(1..<3)]),
        ]),
      Scenario(
        name: "store-punch", summary: "a shared store against a hole punched under it",
        stage: Stage.Plan(isShared: true, loaded: [1]),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
        ]),
      Scenario(
        name: "store-writeback", summary: "a shared store against writeback of its page: the store must reach the file",
        stage: Stage.Plan(pages: 2, isShared: true, stored: [1], keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "writeback", actions: [.writeBack]),
        ]),
      Scenario(
        name: "first-store-writeback", summary: "the first shared store to a page against writeback",
        stage: Stage.Plan(pages: 2, isShared: true, loaded: [1], keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "writeback", actions: [.writeBack]),
        ]),
    ]
  }

  private static var againstReclaim: [Scenario] {
    [
      Scenario(
        name: "load-reclaim", summary: "a load against reclaim of its page",
        stage: Stage.Plan(pages: 2),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]),
          ThreadPlan(name: "reclaim", actions: [.pageOut(0..<2)]),
        ]),
      Scenario(
        name: "mapped-reclaim", summary: "a store to a page against reclaim, which unmaps it",
        stage: Stage.Plan(pages: 2, isShared: true, loaded: [1], keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]),
          ThreadPlan(name: "reclaim", actions: [.pageOut(0..<2)]),
        ]),
      Scenario(
        name: "store-squeeze", summary: "a store to a dirty page against reclaim, which writes it first",
        stage: Stage.Plan(pages: 1, isShared: true, stored: [0], keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(0)]),
          ThreadPlan(name: "squeeze", actions: [.squeeze]),
        ]),
      Scenario(
        name: "readahead-squeeze",
        summary: "a load that reads ahead against reclaim, which uses the frames for another file",
        stage: Stage.Plan(isCold: true, readaheadPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]), ThreadPlan(name: "squeeze", actions: [.squeeze]),
        ]),
      Scenario(
        name: "load-drop", summary: "fault-around against dropping what is clean and unmapped",
        stage: Stage.Plan(aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]),
          ThreadPlan(name: "drop", actions: [.dropCaches]),
        ]),
    ]
  }

  private static var againstEachOther: [Scenario] {
    [
      Scenario(
        name: "load-load", summary: "two loads of one page, and its table",
        stage: Stage.Plan(aroundPages: 4),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]), ThreadPlan(name: "other load", actions: [.load(2)]),
        ]),
      Scenario(
        name: "store-store", summary: "two private stores to one page",
        stage: Stage.Plan(loaded: [1], keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]), ThreadPlan(name: "other store", actions: [.store(1)]),
        ]),
      Scenario(
        name: "shared-store-store", summary: "two shared stores to one page",
        stage: Stage.Plan(isShared: true, keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]), ThreadPlan(name: "other store", actions: [.store(1)]),
        ]),
      Scenario(
        name: "anonymous-store-load", summary: "a store and a load of one page of private memory",
        stage: Stage.Plan(isAnonymous: true, keepsStores: true),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)]), ThreadPlan(name: "load", actions: [.load(1)]),
        ]),
    ]
  }

  private static var againstFork: [Scenario] {
    [LockMode.mmapLock, .perVMA].flatMap { mode in
      [
        Scenario(
          name: "store-fork\(mode.suffix)",
          summary: "a store to a private page against fork, which shares it with a child",
          stage: Stage.Plan(pages: 2, lockMode: mode, stored: [1], keepsStores: true),
          threads: [
            ThreadPlan(name: "store", actions: [.store(1)]), ThreadPlan(name: "fork", actions: [.fork]),
          ]),
        Scenario(
          name: "stores-fork\(mode.suffix)",
          summary: "stores to private pages under two tables against fork: the child is a snapshot",
          stage: Stage.Plan(lockMode: mode, stored: [1, 2], keepsStores: true, crossesTables: true),
          threads: [
            ThreadPlan(name: "store", actions: [.store(1), .store(2)]), ThreadPlan(name: "fork", actions: [.fork]),
          ]),
        Scenario(
          name: "load-fork\(mode.suffix)", summary: "a load in an area with private copies against fork",
          stage: Stage.Plan(pages: 2, lockMode: mode, stored: [0]),
          threads: [
            ThreadPlan(name: "load", actions: [.load(1)]), ThreadPlan(name: "fork", actions: [.fork]),
          ]),
      ]
    }
  }
}

extension LockMode {
  /// What tells the scenarios of the modes apart.
  var suffix: String {
    switch self {
    case .mmapLock: "-big-lock"
    case .perVMA: ""
    case .speculative: "-speculative"
    case .speculativePerVMA: "-speculative-area"
    }
  }
}

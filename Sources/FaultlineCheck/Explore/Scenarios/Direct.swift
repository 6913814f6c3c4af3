import Faultline

/// Races about files that are mapped where they lie on a device: who waits for whose entry, and what is entered before it is
/// durable.
extension Scenario {
  static var direct: [Scenario] { directPages + directSync + directHuge + directWaiters }

  private static func plan(
    pages: UInt64 = 2, loaded: [UInt64] = [], stored: [UInt64] = [], keepsStores: Bool = false, _ direct: DirectPlan
  ) -> Stage.Plan {
    Stage.Plan(pages: pages, isShared: true, loaded: loaded, stored: stored, keepsStores: keepsStores, direct: direct)
  }

  private static let store = ThreadPlan(name: "store", actions: [.store(0)])
  private static let fsync = ThreadPlan(name: "fsync", actions: [.sync])
  private static let cut = ThreadPlan(name: "truncate", actions: [.truncate(pages: 0)])

  private static var directPages: [Scenario] {
    [
      Scenario(
        name: "dax-load-store", summary: "a load of a hole, which shows zeroes, against the store that fills it",
        stage: plan(keepsStores: true, DirectPlan()),
        threads: [ThreadPlan(name: "load", actions: [.load(0), .load(0)]), store]),
      Scenario(
        name: "dax-store-store",
        summary: "two stores to one page of a hole: the second waits for the first one's entry",
        stage: plan(keepsStores: true, DirectPlan()),
        threads: [store, ThreadPlan(name: "other store", actions: [.store(0)])]),
      Scenario(
        name: "dax-store-truncate", summary: "a store against truncation, which gives the block away",
        stage: plan(loaded: [0], DirectPlan(isWritten: true)),
        threads: [ThreadPlan(name: "store", actions: [.store(0)], allowed: beyondEnd), cut]),
      Scenario(
        name: "dax-load-punch", summary: "a load of a written page against a hole there",
        stage: plan(DirectPlan(isWritten: true)),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)]), ThreadPlan(name: "punch", actions: [.punch(0..<1)]),
        ]),
      Scenario(
        name: "dax-store-fsync", summary: "stores against fsync, which makes entries read-only again",
        stage: plan(stored: [0], keepsStores: true, DirectPlan(isWritten: true)), threads: [store, fsync]),
      Scenario(
        name: "dax-pin-truncate", summary: "a pin of a device's page against truncation, which waits for it",
        stage: plan(stored: [0], DirectPlan(isWritten: true)),
        threads: [ThreadPlan(name: "pin", actions: [.pinNow(0..<1), .unpin]), cut]),
    ]
  }

  private static var directSync: [Scenario] {
    [
      Scenario(
        name: "sync-store", summary: "two synchronous stores to a hole: each waits for a commit that holds its block",
        stage: plan(keepsStores: true, DirectPlan(isSynchronous: true)),
        threads: [store, ThreadPlan(name: "other store", actions: [.store(1)])]),
      Scenario(
        name: "sync-truncate",
        summary: "a synchronous store against truncation: the block is not given away while it waits",
        stage: plan(DirectPlan(isSynchronous: true)),
        threads: [ThreadPlan(name: "store", actions: [.store(0)], allowed: beyondEnd), cut]),
      Scenario(
        name: "sync-fsync", summary: "a synchronous store against fsync: one commit may do for both",
        stage: plan(keepsStores: true, DirectPlan(isSynchronous: true)), threads: [store, fsync]),
      Scenario(
        name: "sync-upgrade", summary: "the first store to a page that was read, against fsync",
        stage: plan(loaded: [0], keepsStores: true, DirectPlan(isSynchronous: true)), threads: [store, fsync]),
    ]
  }

  private static var directHuge: [Scenario] {
    [
      Scenario(
        name: "dax-huge-page", summary: "a store that maps 2 MiB against one to a page inside, through another mapping",
        stage: plan(pages: 512, DirectPlan(isMappedAgain: true)),
        threads: [store, ThreadPlan(name: "page", actions: [.storeAgain(5)])]),
      Scenario(
        name: "dax-huge-zero",
        summary: "a load of 2 MiB of hole against a store to a page inside, through another mapping",
        stage: plan(pages: 512, DirectPlan(isMappedAgain: true)),
        threads: [
          ThreadPlan(name: "load", actions: [.load(0)]), ThreadPlan(name: "page", actions: [.storeAgain(5)]),
        ]),
      Scenario(
        name: "dax-huge-truncate", summary: "a store that maps 2 MiB against truncation to nothing",
        stage: plan(pages: 512, DirectPlan()),
        threads: [ThreadPlan(name: "store", actions: [.store(0)], allowed: beyondEnd), cut]),
    ]
  }

  /// Two that wait for one entry: whoever takes it away must wake both.
  private static var directWaiters: [Scenario] {
    [
      Scenario(
        name: "dax-waiters",
        summary: "two loads through another mapping while the zeroes of 2 MiB make room for a page",
        stage: plan(pages: 512, loaded: [0], DirectPlan(isMappedAgain: true)),
        threads: [
          ThreadPlan(name: "store", actions: [.storeAgain(5)]), ThreadPlan(name: "load", actions: [.loadAgain(6)]),
          ThreadPlan(name: "other load", actions: [.loadAgain(7)]),
        ])
    ]
  }
}

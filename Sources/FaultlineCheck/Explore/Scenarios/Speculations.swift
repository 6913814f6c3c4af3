import Faultline

/// Faults that hold no lock: the scenarios of the other modes, and what only these can get wrong.
extension Scenario {
  static var speculations: [Scenario] { againstReuse + againstNumbers + againstPages }

  /// Whether a thread faults, in the mode that scenarios have when they name none.
  var isAboutFaults: Bool {
    stage.lockMode == .perVMA && threads.contains { $0.actions.contains(where: \.isAccess) }
  }

  /// The same race in another mode, behind the first fault, which no such mode serves.
  func under(_ mode: LockMode) -> Scenario {
    var stage = stage
    stage.lockMode = mode
    stage.hasTable = !stage.isLong && !stage.isCold && stage.direct == nil
    return Scenario(name: name + mode.suffix, summary: "\(summary) (\(mode))", stage: stage, threads: threads)
  }

  private static var againstReuse: [Scenario] {
    let load = ThreadPlan(name: "load", actions: [.load(1)], allowed: gone)
    return [
      Scenario(
        name: "load-remap", summary: "a load against another file mapped over its own",
        stage: Stage.Plan(), threads: [load, ThreadPlan(name: "map", actions: [.mapOther(0..<4)])]),
      Scenario(
        name: "load-reuse", summary: "a load against munmap, whose area and table are freed and used for another file",
        stage: Stage.Plan(loaded: [0]),
        threads: [load, ThreadPlan(name: "munmap", actions: [.munmap(0..<4), .collect, .mapOther(0..<4)])]),
      Scenario(
        name: "store-reuse", summary: "a private store against munmap and another file in the same place",
        stage: Stage.Plan(loaded: [1], stored: [0]),
        threads: [
          ThreadPlan(name: "store", actions: [.store(1)], allowed: gone),
          ThreadPlan(name: "munmap", actions: [.munmap(0..<2), .collect, .mapOther(0..<2)]),
        ]),
    ]
  }

  /// Every place between two looks at a number is one at which it can change.
  private static var againstNumbers: [Scenario] {
    let change = ThreadPlan(name: "change", actions: [.collect, .collect])
    return [
      Scenario(
        name: "load-change", summary: "a load against changes elsewhere: it may give up at every step",
        stage: Stage.Plan(aroundPages: 4),
        threads: [ThreadPlan(name: "load", actions: [.load(3), .load(1)]), change]),
      Scenario(
        name: "copy-change", summary: "a store that copies against changes elsewhere",
        stage: Stage.Plan(loaded: [1], stored: [0], keepsStores: true),
        threads: [ThreadPlan(name: "store", actions: [.store(1)]), change]),
      Scenario(
        name: "anonymous-change", summary: "a store to private memory against changes elsewhere",
        stage: Stage.Plan(isAnonymous: true, stored: [0], keepsStores: true),
        threads: [ThreadPlan(name: "store", actions: [.store(1)]), change]),
      Scenario(
        name: "load-wrap", summary: "a load against changes and munmap while their number wraps",
        stage: Stage.Plan(loaded: [0], firstSequence: .max - 3),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)], allowed: gone),
          ThreadPlan(name: "munmap", actions: [.collect, .munmap(0..<4)]),
        ]),
    ]
  }

  private static var againstPages: [Scenario] {
    [
      Scenario(
        name: "load-cut", summary: "a load against truncation inside a dirty folio, which stays whole",
        stage: Stage.Plan(isShared: true, isOneFolio: true),
        threads: [
          ThreadPlan(name: "load", actions: [.load(3)], allowed: beyondEnd),
          ThreadPlan(name: "truncate", actions: [.write(0), .truncate(pages: 3)]),
        ]),
      Scenario(
        name: "misses-punch", summary: "fault-around, which takes back misses, against a hole under its page",
        stage: Stage.Plan(aroundPages: 4, stored: [0], misses: 50),
        threads: [
          ThreadPlan(name: "load", actions: [.load(1)]), ThreadPlan(name: "punch", actions: [.punch(1..<2)]),
        ]),
    ]
  }
}

extension Action {
  /// Whether the program's own access may fault.
  fileprivate var isAccess: Bool {
    switch self {
    case .load, .store, .childLoad, .childStore: true
    default: false
    }
  }
}

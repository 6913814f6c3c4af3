import Faultline

/// Races of a pin with whatever takes 2 MiB apart, moves them, shares them or puts them together.
extension Scenario {
  static var pinsOfHuge: [Scenario] { pinsOfHugeFiles + pinsOfHugePrivateMemory + pinsUnderCollapse }

  /// In the middle of an entry: a step that goes wrong there hits other pages.
  private static let pinInside = ThreadPlan(name: "pin", actions: [.pinNow(100..<120), .unpin])
  private static let file = Stage.Plan(pages: 512, isShared: true, stored: [0], isHuge: true)
  private static let memory = Stage.Plan(pages: 512, isAnonymous: true, stored: [0], isHuge: true)

  private static var pinsOfHugeFiles: [Scenario] {
    [
      Scenario(
        name: "pin-huge-munmap", summary: "a pin inside a huge entry against munmap of another part, which splits it",
        stage: file, threads: [pinInside, ThreadPlan(name: "munmap", actions: [.munmap(500..<512)])]),
      Scenario(
        name: "pin-huge-guard", summary: "a pin inside a huge entry against a guard, which puts a table in its place",
        stage: file, threads: [pinInside, ThreadPlan(name: "guard", actions: [.guardPage(300)])]),
      Scenario(
        name: "pin-huge-mremap", summary: "a pin inside a huge entry against mremap, which takes it elsewhere",
        stage: file, threads: [pinInside, ThreadPlan(name: "mremap", actions: [.mremap(0..<512)])]),
      Scenario(
        name: "pin-huge-truncate", summary: "a pin inside a huge entry against truncation, which must leave it whole",
        stage: file,
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(2..<4), .unpin]),
          ThreadPlan(name: "truncate", actions: [.truncate(pages: 2)]),
        ]),
      Scenario(
        name: "pin-huge-punch", summary: "a pin inside a huge entry against a hole in its folio, which splits it",
        stage: file, threads: [pinInside, ThreadPlan(name: "punch", actions: [.punch(300..<301)])]),
    ]
  }

  private static var pinsOfHugePrivateMemory: [Scenario] {
    var part = memory
    part.keepsStores = true
    part.pagesLeft = 4
    return [
      Scenario(
        name: "pin-folio-fork", summary: "a pin of pages of a folio against fork, which copies all that are left of it",
        stage: part,
        threads: [
          ThreadPlan(name: "pin", actions: [.pinNow(1..<3), .store(1), .unpin]),
          ThreadPlan(name: "fork", actions: [.fork]),
        ]),
      Scenario(
        name: "pin-huge-free", summary: "a pin in 2 MiB of private memory against munmap of all of them",
        stage: memory, threads: [pinInside, ThreadPlan(name: "munmap", actions: [.munmap(0..<512)])]),
      Scenario(
        name: "pin-huge-split", summary: "a pin in 2 MiB of private memory against munmap of another part of them",
        stage: memory, threads: [pinInside, ThreadPlan(name: "munmap", actions: [.munmap(500..<512)])]),
    ]
  }

  private static var pinsUnderCollapse: [Scenario] {
    let collapse = ThreadPlan(name: "collapse", actions: [.collapse])
    let stage = Stage.Plan(pages: 512, isShared: true, stored: [0, 1], couldBeHuge: true)
    return [
      Scenario(
        name: "pin-collapse", summary: "a pin without locks against MADV_COLLAPSE, which must leave pinned pages alone",
        stage: stage, threads: [ThreadPlan(name: "pin", actions: [.pinNow(0..<2), .unpin]), collapse]),
      Scenario(
        name: "pin-fault-collapse", summary: "a pin that faults its page in against MADV_COLLAPSE",
        stage: stage, threads: [ThreadPlan(name: "pin", actions: [.pin(2..<3), .unpin]), collapse]),
    ]
  }
}

#if ModelCheck

  import Glibc
  import Testing

  @testable import Faultline
  @testable import FaultlineCheck

  /// What an explorer must find, and must not lose by being clever. Serialized: the engine's words report to one
  /// explorer.
  @Suite(.serialized) struct ExploreTests {
    /// Every final value of two words that small random programs reach without the reduction is reached with it.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func leavingOutIndependentOrdersLosesNoResult(_ seed: UInt64) {
      let program = ToyProgram(seed: seed)
      for bound in 0...2 {
        let all = program.results(DepthFirstSearch(bound: bound, reduces: false))
        let few = program.results(DepthFirstSearch(bound: bound))
        #expect(few.results == all.results, "bound \(bound): \(program.threads)")
        #expect(few.schedules <= all.schedules)
      }
    }

    @Test func aLostUpdateNeedsOnePreemption() {
      let word = AtomicWord(0)
      func results(_ bound: Int) -> Set<UInt64> {
        var found: Set<UInt64> = []
        ToyProgram.run(DepthFirstSearch(bound: bound), threads: 2) {
          word.store(0, ordering: .relaxed)
        } body: { _ in
          word.store(word.load(ordering: .relaxed) + 1, ordering: .relaxed)
        } end: { _ in
          found.insert(word.load(ordering: .relaxed))
        }
        return found
      }
      #expect(results(0) == [2])
      #expect(results(1) == [1, 2])
    }

    /// The two threads stay behind in their wait, and keep what they stand on.
    @Test func locksInOppositeOrderAreADeadlock() {
      let first = SpinLock()
      let second = SpinLock()
      var endings: [Ending] = []
      ToyProgram.run(DepthFirstSearch(bound: 1), threads: 2) {
      } body: { thread in
        if thread == 0 { first.lock() } else { second.lock() }
        if thread == 0 { second.lock() } else { first.lock() }
        first.unlock()
        second.unlock()
      } end: {
        endings.append($0)
      }
      #expect(endings.last == .deadlock([]))
    }

    @Test func waitingForALockIsNoDeadlock() {
      let lock = ReadWriteLock()
      let word = AtomicWord(0)
      ToyProgram.run(DepthFirstSearch(bound: 2), threads: 3) {
        word.store(0, ordering: .relaxed)
      } body: { thread in
        if thread == 2 {
          lock.lockShared()
          _ = word.load(ordering: .relaxed)
          lock.unlockShared()
        } else {
          lock.lockExclusive()
          word.store(word.load(ordering: .relaxed) + 1, ordering: .relaxed)
          lock.unlockExclusive()
        }
      } end: {
        #expect($0 == .finished)
        #expect(word.load(ordering: .relaxed) == 2)
      }
    }

    /// `explore --all` goes to two preemptions with every scenario, in the modes without locks too. Here long
    /// executions stay at one, and of those modes come only the scenarios that are about them.
    @Test(arguments: Scenario.all.filter { $0.isExhaustive && !$0.isRepeated }.map(\.name))
    func noOrderOfTwoThreadsBreaksAnything(_ name: String) throws {
      let scenario = try #require(Scenario.named(name))
      let isLong = scenario.stage.isLong || scenario.stage.direct != nil
      let (found, progress) = try Explorer(scenario).exhaust(bound: isLong ? 1 : 2)
      #expect(found == nil, "\(String(describing: found))")
      #expect(progress.schedules > 1)
    }

    @Test(arguments: Scenario.all.filter { !$0.isExhaustive && !$0.isRepeated }.map(\.name))
    func noRandomOrderOfManyThreadsBreaksAnything(_ name: String) throws {
      let scenario = try #require(Scenario.named(name))
      let (found, progress) = try Explorer(scenario).draw(count: 200, seed: 7)
      #expect(found == nil, "\(String(describing: found))")
      #expect(progress.schedules == 200)
    }

    /// Each fault that only other threads bring out, the scenario that shows it, and its story told again from its
    /// text.
    @Test(arguments: ExploreTests.shown)
    func aSeededRaceIsFoundAndRepeats(_ bug: SeededBug, _ name: String) throws {
      let scenario = try #require(Scenario.named(name))
      let explorer = Explorer(scenario, bugs: [bug])
      let found = try #require(
        try scenario.isExhaustive ? explorer.exhaust(bound: 2).finding : explorer.draw(count: 1000, seed: 1).finding)
      let saved = try SavedSchedule(parsing: found.text)
      #expect(saved.scenario == name && saved.bug == bug.rawValue)
      let again = try #require(try Explorer(scenario, bugs: [bug]).replay(saved.schedule))
      #expect(again.problems == found.problems)
      #expect(try Explorer(scenario).replay(saved.schedule) == nil)
    }

    static let shown: [(SeededBug, String)] = [
      (.skipsMappingCheck, "load-regrow"), (.skipsSizeCheck, "load-truncate"),
      (.forgetsWriteProtect, "store-writeback"),
      (.unmapsOnce, "copy-truncate"), (.skipsSequenceCheck, "load-munmap"), (.forkLeavesAreasUnmarked, "stores-fork"),
      (.freesTableAtOnce, "entered-munmap"), (.skipsEntryCheck, "store-store"), (.skipsTableCheck, "load-load"),
      (.unfreezesOriginalFirst, "load-split"),
      (.waitsByUnroundedIndex, "dax-huge-page"), (.wakesOneWaiter, "dax-waiters"), (.entersWithoutSync, "sync-upgrade"),
      (.walkHoldsSpace, "truncate-end"), (.skipsMiddleCheck, "huge-table"),
      (.keepsPinOfLostRace, "pin-munmap"), (.undoesOnePinTooMany, "pin-munmap"), (.pinsDuringFork, "pin-fork"),
      (.removesWithoutEpochs, "pin-remove"), (.removesWithoutEpochs, "get-remove"),
      (.entersTableForLockedFolio, "huge-huge"), (.takesTableInUse, "table-collapse"),
      (.leaksOnAbort, "load-cut-speculative"), (.skipsSpeculationCheck, "load-munmap-speculative"),
      (.skipsSpeculationCheck, "load-munmap-speculative-area"), (.skipsSizeCheck, "load-cut-speculative"),
      (.leavesEpochEarly, "load-reuse-speculative-area"), (.forgetsMissesTwice, "misses-punch-speculative"),
    ]

    /// One of two orders touches what is no memory. The thread stays where it is; the explorer goes on.
    @Test func aTrapEndsTheExecutionAndNotTheExplorer() {
      let word = AtomicWord(0)
      var endings: [Ending] = []
      ToyProgram.run(DepthFirstSearch(bound: 1), threads: 2) {
        word.store(0, ordering: .relaxed)
      } body: { thread in
        if thread == 0 {
          word.store(1, ordering: .relaxed)
        } else if word.load(ordering: .relaxed) == 0 {
          UnsafeMutablePointer<Int>(bitPattern: 8).unsafelyUnwrapped.pointee = 1
        }
      } end: {
        endings.append($0)
      }
      #expect(endings.dropLast().allSatisfy { $0 == .finished })
      guard case .trapped(let thread, let signal) = endings.last else {
        return #expect(Bool(false), "\(String(describing: endings.last))")
      }
      #expect(thread == 1 && signal == SIGSEGV)
    }

    @Test func memoryThatIsWrittenToWhileItIsFreeIsFoundWhenItIsUsedAgain() throws {
      let memory = try PhysicalMemory(frameCount: 4, contents: .bytes)
      var endings: [Ending] = []
      ToyProgram.run(DepthFirstSearch(bound: 0), threads: 2) {
      } body: { thread in
        guard thread == 0, let folio = memory.allocate(order: 0), let bytes = memory.contents(of: folio.head) else {
          return
        }
        folio.put(to: memory)
        bytes.storeBytes(of: 1, toByteOffset: 128, as: UInt8.self)
        _ = memory.allocate(order: 0)
      } end: {
        endings.append($0)
      }
      #expect(endings == [.damaged(thread: 0)])
    }

    @Test func pageContentsAreNotTouchedOnceTheirFrameIsFree() throws {
      let memory = try PhysicalMemory(frameCount: 4, contents: .bytes)
      var endings: [Ending] = []
      ToyProgram.run(DepthFirstSearch(bound: 0), threads: 2) {
      } body: { thread in
        guard thread == 0, let folio = memory.allocate(order: 0) else { return }
        folio.put(to: memory)
        _ = memory.contents(of: folio.head)
      } end: {
        endings.append($0)
      }
      #expect(endings == [.useAfterFree(thread: 0, word: 0)])
    }

    @Test func oneSeedGivesOneExploration() throws {
      let scenario = try #require(Scenario.named("mix-file"))
      let first = try Explorer(scenario).draw(count: 50, seed: 3).progress
      let second = try Explorer(scenario).draw(count: 50, seed: 3).progress
      #expect(first.steps == second.steps && first.longest == second.longest)
    }
  }

  extension Scenario {
    /// Whether it is another scenario in one of the modes without locks.
    fileprivate var isRepeated: Bool {
      (stage.lockMode == .speculative || stage.lockMode == .speculativePerVMA) && !isAboutSpeculation
    }

    private var isAboutSpeculation: Bool {
      Scenario.speculations.contains { name.hasPrefix($0.name) }
    }
  }

  /// A small random program on two words, and the machinery to run it in every order.
  struct ToyProgram {
    enum Operation: CaseIterable {
      case load, store, add
    }

    let threads: [[(operation: Operation, word: Int)]]

    init(seed: UInt64) {
      var random = SplitMix(state: seed)
      threads = (0..<Int.random(in: 2...3, using: &random)).map { _ in
        (0..<Int.random(in: 1...3, using: &random)).map { _ in
          (Operation.allCases.randomElement(using: &random) ?? .load, Int.random(in: 0...1, using: &random))
        }
      }
    }

    /// Every combination of final values and of what threads have seen.
    func results(_ search: DepthFirstSearch) -> (results: Set<[UInt64]>, schedules: Int) {
      let words = WordPointer.allocate(capacity: 2)
      defer { words.deallocate() }
      for word in 0..<2 { (words + word).initialize(to: AtomicWord(0)) }
      var seen: [UInt64] = []
      var results: Set<[UInt64]> = []
      var schedules = 0
      Self.run(search, threads: threads.count) {
        for word in 0..<2 { words[word].store(0, ordering: .relaxed) }
        seen = Array(repeating: 0, count: threads.count)
      } body: { thread in
        for (place, step) in threads[thread].enumerated() {
          switch step.operation {
          case .load: seen[thread] = seen[thread] * 100 + words[step.word].load(ordering: .relaxed)
          case .store: words[step.word].store(UInt64(thread * 3 + place + 1), ordering: .relaxed)
          case .add: words[step.word].wrappingAdd(16, ordering: .relaxed)
          }
        }
      } end: { _ in
        schedules += 1
        results.insert(seen + [words[0].load(ordering: .relaxed), words[1].load(ordering: .relaxed)])
      }
      return (results, schedules)
    }

    /// Runs bodies in every order that the search asks for, until one cannot end. Then its threads keep the body.
    static func run(
      _ search: DepthFirstSearch, threads: Int, before: () -> Void, body: @escaping (Int) -> Void, end: (Ending) -> Void
    ) {
      var search = search
      let processors = VirtualProcessors(count: threads, scheduler: PrefixScheduler(prefix: []))
      defer { processors.quit() }
      repeat {
        before()
        let bodies = (0..<threads).map { thread in { body(thread) } }
        processors.run(bodies, under: PrefixScheduler(prefix: search.prefix))
        end(processors.execution.pointee.ending)
      } while processors.execution.pointee.ending == .finished
        && search.advance(past: processors.execution.pointee.steps)
    }
  }

#endif

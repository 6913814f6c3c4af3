import Testing

@testable import Faultline

@Suite struct SyncTests {
  @Test func aSpinLockExcludes() {
    let lock = SpinLock()
    lock.lock()
    let second = lock.tryLock()
    #expect(!second)
    lock.unlock()
    let third = lock.tryLock()
    #expect(third)
  }

  @Test func readersShareAndAWriterWaitsForThem() {
    let lock = ReadWriteLock()
    lock.lockShared()
    let reader = lock.tryLockShared()
    #expect(reader)
    lock.unlockShared()
    lock.unlockShared()
    lock.lockExclusive()
    let beside = lock.tryLockShared()
    #expect(!beside)
    lock.unlockExclusive()
    let after = lock.tryLockShared()
    #expect(after)
  }

  #if ModelCheck
    @Test func everyOperationOnASharedWordIsASchedulingPoint() {
      let word = AtomicWord(0)
      SchedulePoint.observer = SchedulePoint.Observer(
        reached: { _, _ in pointsSeen += 1 }, changed: {}, resized: { _, _, _ in }, touched: { _ in },
        damaged: { _ in })
      defer { SchedulePoint.observer = nil }
      pointsSeen = 0
      word.store(1, ordering: .releasing)
      #expect(word.load(ordering: .acquiring) == 1)
      word.wrappingAdd(1, ordering: .relaxed)
      #expect(pointsSeen == 3)
    }
  #endif
}

#if ModelCheck
  /// What the observer has counted. The tests of this build run one after another.
  nonisolated(unsafe) private var pointsSeen = 0
#endif

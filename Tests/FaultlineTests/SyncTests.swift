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
      nonisolated(unsafe) var points = 0
      SchedulePoint.observer = { _ in points += 1 }
      defer { SchedulePoint.observer = nil }
      word.store(1, ordering: .releasing)
      #expect(word.load(ordering: .acquiring) == 1)
      word.wrappingAdd(1, ordering: .relaxed)
      #expect(points == 3)
    }
  #endif
}

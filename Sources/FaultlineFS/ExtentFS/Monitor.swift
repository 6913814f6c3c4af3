import Faultline
import Glibc
import Synchronization

/// The lock of a file system's metadata, with the sleep of those that wait for a commit: the one place here that knows threads.
final class Monitor: Sendable {
  private let primitive = MonitorPrimitive()
  private let waiters = Atomic(0)

  /// Threads that sleep or wait for the lock. May be read without it.
  var waiterCount: Int { waiters.load(ordering: .acquiring) }

  func lock() {
    if primitive.tryLock() { return }
    waiters.wrappingAdd(1, ordering: .releasing)
    primitive.lock()
    waiters.wrappingSubtract(1, ordering: .releasing)
  }

  func unlock() { primitive.unlock() }

  /// Sleeps, with the lock given up, until somebody calls ``wakeAll()``; may return early. The lock is held.
  func wait() {
    waiters.wrappingAdd(1, ordering: .releasing)
    primitive.wait()
    waiters.wrappingSubtract(1, ordering: .releasing)
  }

  func wakeAll() { primitive.wakeAll() }
}

#if ModelCheck

  /// Made of the engine's shared words, so that the explorer sees who waits for what.
  private final class MonitorPrimitive: Sendable {
    private let word = SpinLock()
    private let wakes = AtomicWord(0)

    func tryLock() -> Bool { word.tryLock() }
    func lock() { word.lock() }
    func unlock() { word.unlock() }

    func wait() {
      let seen = wakes.load(ordering: .acquiring)
      unlock()
      while wakes.load(ordering: .acquiring) == seen { spinHint(on: wakes) }
      lock()
    }

    func wakeAll() { wakes.wrappingAdd(1, ordering: .releasing) }
  }

#else

  /// `@unchecked Sendable`: the host's primitives are made for any thread.
  private final class MonitorPrimitive: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(condition, nil)
    }

    deinit {
      pthread_cond_destroy(condition)
      pthread_mutex_destroy(mutex)
      condition.deallocate()
      mutex.deallocate()
    }

    func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }
    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }
    func wakeAll() { pthread_cond_broadcast(condition) }
  }

#endif

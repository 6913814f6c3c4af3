import Faultline
import Glibc

#if ModelCheck

  /// The lock of a file system's metadata, with the sleep of those that wait for a commit: the one place here that knows threads.
  /// Made of the engine's shared words, so that the explorer sees who waits for what.
  final class Monitor: Sendable {
    private let word = SpinLock()
    private let wakes = AtomicWord(0)

    func lock() { word.lock() }
    func unlock() { word.unlock() }

    /// Waits, with the lock given up, until somebody calls ``wakeAll()``. The lock is held.
    func wait() {
      let seen = wakes.load(ordering: .acquiring)
      unlock()
      while wakes.load(ordering: .acquiring) == seen { spinHint(on: wakes) }
      lock()
    }

    func wakeAll() { wakes.wrappingAdd(1, ordering: .releasing) }
  }

#else

  /// The lock of a file system's metadata, with the sleep of those that wait for a commit: the one place here that knows threads.
  ///
  /// `@unchecked Sendable`: the host's primitives are made for any thread.
  final class Monitor: @unchecked Sendable {
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

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }

    /// Sleeps, with the lock given up, until somebody calls ``wakeAll()``; may return early. The lock is held.
    func wait() { pthread_cond_wait(condition, mutex) }
    func wakeAll() { pthread_cond_broadcast(condition) }
  }

#endif

import Glibc

/// A thread with one job. ptrace belongs to a thread, not to a process, so the pool of the concurrency runtime does not do.
final class Worker {
  private var thread: pthread_t = 0

  private final class Job {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  init(_ body: @escaping @Sendable () -> Void) {
    let job = Unmanaged.passRetained(Job(body))
    let result = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, job.toOpaque())
    precondition(result == 0, "the system has no thread left")
  }

  /// To be called once.
  func join() { pthread_join(thread, nil) }
}

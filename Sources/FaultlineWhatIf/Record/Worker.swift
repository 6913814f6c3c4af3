import Glibc
import Synchronization

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

/// Runs a job on a thread of its own and waits for it.
func onOwnThread<Value: Sendable>(
  _ job: @escaping @Sendable () throws(RecordError) -> Value
) throws(RecordError) -> Value {
  let outcome = Outcome<Value>()
  Worker {
    do throws(RecordError) {
      let value = try job()
      outcome.result.withLock { $0 = .success(value) }
    } catch {
      outcome.result.withLock { $0 = .failure(error) }
    }
  }.join()
  guard let result = outcome.result.withLock({ $0 }) else { preconditionFailure("the job has ended") }
  return try result.get()
}

private final class Outcome<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, RecordError>?>(nil)
}

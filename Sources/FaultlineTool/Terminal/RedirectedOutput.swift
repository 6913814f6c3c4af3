import FaultlineWhatIf
import Glibc

/// Sends what a program prints somewhere else for a while, so that stdout holds the answer alone.
struct RedirectedOutput {
  enum Target {
    case standardError
    /// Into a temporary file, which nobody reads. Not into `/dev/null`: a write there does not look at its bytes, so a program
    /// that prints from a mapping would not touch it.
    case nowhere
  }

  private let saved: Int32
  private let file: NamelessFile?

  init(to target: Target) {
    switch target {
    case .standardError:
      file = nil
      saved = RedirectedOutput.replace(by: 2)
    case .nowhere:
      // The recording saw stdout as it is, and a program may ask whether that is /dev/null.
      file = RedirectedOutput.isNull(1) ? nil : NamelessFile()
      let descriptor = file.map { open($0.path, O_WRONLY | O_CLOEXEC) } ?? -1
      saved = descriptor >= 0 ? RedirectedOutput.replace(by: descriptor) : -1
      if descriptor >= 0 { close(descriptor) }
    }
  }

  /// Gives stdout back.
  func end() {
    guard saved >= 0 else { return }
    dup2(saved, 1)
    close(saved)
  }

  private static func replace(by descriptor: Int32) -> Int32 {
    let saved = fcntl(1, F_DUPFD_CLOEXEC, 3)
    if saved >= 0 { dup2(descriptor, 1) }
    return saved
  }

  private static func isNull(_ descriptor: Int32) -> Bool {
    var (given, null) = (stat(), stat())
    return fstat(descriptor, &given) == 0 && stat("/dev/null", &null) == 0 && given.st_rdev == null.st_rdev
      && given.st_mode & S_IFMT == S_IFCHR
  }
}

import Glibc

/// Sends what a program prints to stderr for a while, so that stdout holds the answer alone.
struct RedirectedOutput {
  private let saved: Int32

  init() {
    saved = fcntl(1, F_DUPFD_CLOEXEC, 3)
    if saved >= 0 { dup2(2, 1) }
  }

  /// Gives stdout back.
  func end() {
    guard saved >= 0 else { return }
    dup2(saved, 1)
    close(saved)
  }
}

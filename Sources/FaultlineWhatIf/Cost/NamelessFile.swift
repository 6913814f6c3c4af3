import Glibc

/// A temporary file that never has a name, so that nothing is left behind however the process ends. ``path`` opens it for
/// as long as the value lives, inside this process.
public final class NamelessFile: Sendable {
  private let descriptor: Int32

  /// `/proc/self/fd/N`.
  public var path: String { "/proc/self/fd/\(descriptor)" }

  /// Makes an empty file in the first of the usual places for temporary files; nil when none allows it.
  public init?() {
    let places = [getenv("TMPDIR").map { String(cString: $0) }, "/tmp", "/var/tmp", "."].compactMap { $0 }
    guard let descriptor = places.lazy.map({ ScratchFile.openNameless(in: $0) }).first(where: { $0 >= 0 }) else {
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}

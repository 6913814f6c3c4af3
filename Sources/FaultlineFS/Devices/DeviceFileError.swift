import Glibc

/// A file that cannot be a device.
public struct DeviceFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The host refused to open, look at or map it: see ``DeviceFileError/errno``.
    case refused
    /// A directory, a pipe or the like: a device lies on a regular file or on a block device.
    case notAFile
    /// Its size is no positive multiple of 4096 bytes.
    case notWholePages
    /// Another process, or another part of this one, has it open as a device.
    case inUse
    /// A file of this name is there already.
    case exists
  }

  public let code: Code
  public let path: String
  /// What the host said; 0 where it said nothing.
  public let errno: Int32
  /// What was asked, why it cannot be, and what to do.
  public let message: String

  init(_ code: Code, _ path: String, errno: Int32 = 0, _ message: String) {
    self.code = code
    self.path = path
    self.errno = errno
    self.message = message
  }

  /// What the host said about `call`.
  static func host(_ call: String, _ path: String, _ number: Int32 = Glibc.errno) -> DeviceFileError {
    let reason = strerror(number).map { String(cString: $0) } ?? "error \(number)"
    return DeviceFileError(
      number == EEXIST ? .exists : .refused, path, errno: number, "cannot \(call) \(path): \(reason)")
  }

  public var description: String { message }
}

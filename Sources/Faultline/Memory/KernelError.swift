/// An error number as the kernel gives it to a system call.
public struct Errno: Hashable, Sendable, CustomStringConvertible {
  /// The positive number, as in `errno.h` on Linux x86-64.
  public let code: Int32
  /// The C name.
  public let name: String

  /// One that the engine itself never gives.
  public init(code: Int32, name: String) {
    self.code = code
    self.name = name
  }

  public static let EPERM = Errno(code: 1, name: "EPERM")
  public static let ENOENT = Errno(code: 2, name: "ENOENT")
  public static let EIO = Errno(code: 5, name: "EIO")
  public static let ENXIO = Errno(code: 6, name: "ENXIO")
  public static let EBADF = Errno(code: 9, name: "EBADF")
  public static let EAGAIN = Errno(code: 11, name: "EAGAIN")
  public static let ENOMEM = Errno(code: 12, name: "ENOMEM")
  public static let EACCES = Errno(code: 13, name: "EACCES")
  public static let EFAULT = Errno(code: 14, name: "EFAULT")
  public static let EBUSY = Errno(code: 16, name: "EBUSY")
  public static let EEXIST = Errno(code: 17, name: "EEXIST")
  public static let ENODEV = Errno(code: 19, name: "ENODEV")
  public static let ENOTDIR = Errno(code: 20, name: "ENOTDIR")
  public static let EISDIR = Errno(code: 21, name: "EISDIR")
  public static let EINVAL = Errno(code: 22, name: "EINVAL")
  public static let EFBIG = Errno(code: 27, name: "EFBIG")
  public static let ENOSPC = Errno(code: 28, name: "ENOSPC")
  public static let EROFS = Errno(code: 30, name: "EROFS")
  public static let ENAMETOOLONG = Errno(code: 36, name: "ENAMETOOLONG")
  public static let ENOTEMPTY = Errno(code: 39, name: "ENOTEMPTY")
  public static let EOVERFLOW = Errno(code: 75, name: "EOVERFLOW")
  public static let EOPNOTSUPP = Errno(code: 95, name: "EOPNOTSUPP")

  public var description: String { name }
}

/// A system call of the engine that the kernel would have refused.
public struct KernelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The number the program would see.
  public let errno: Errno
  /// The call, with what was asked, for a person to read.
  public let message: String

  public init(_ errno: Errno, _ message: String) {
    self.errno = errno
    self.message = message
  }

  public var description: String { "\(errno.name): \(message)" }
}

/// What a load, a store or a fetch ends in when it cannot be made good.
public enum Signal: Hashable, Sendable {
  /// SIGSEGV
  case segv(SegvCode)
  /// SIGBUS
  case bus(BusCode)

  public enum SegvCode: Hashable, Sendable {
    /// SEGV_MAPERR: nothing is mapped at the address.
    case mapErr
    /// SEGV_ACCERR: the mapping does not allow the access.
    case accErr
  }

  public enum BusCode: Hashable, Sendable {
    /// BUS_ADRERR: beyond the end of the file, or its data cannot be had.
    case adrErr
    /// BUS_MCEERR_AR: the memory under the page is damaged.
    case mceErrAR
  }
}

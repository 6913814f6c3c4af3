import ArgumentParser
import Faultline
import FaultlineFS
import Glibc

/// `faultline fs`: each thing that can be done with an image is a subcommand of its own.
struct FsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fs",
    abstract: "Make image files with the extent file system, and look at what is in them.",
    discussion: """
      An image is a file of the host, or a block device, with the file system that `faultline crash` and `faultline bench sync` \
      run on:
        faultline fs mkfs test.img --size 64M
        faultline fs put test.img big.idx /big.idx
        faultline fs ls test.img
        faultline fs get test.img /big.idx copy.idx
        faultline fs fsck test.img

      ls, stat, get, info and fsck without --repair change nothing, not even after a crash: what a recovery would bring back is \
      shown as if it had run. Everything else recovers first.

      Exit codes: 0 done, 1 the file system is damaged or full, 2 an argument is wrong or names no file, 3 the image cannot be \
      used here. docs/fs.md tells more, docs/fs-format.md every byte.
      """,
    subcommands: [
      FsMakeCommand.self, FsPutCommand.self, FsGetCommand.self, FsListCommand.self, FsStatCommand.self,
      FsRemoveCommand.self, FsCheckCommand.self, FsInfoCommand.self,
    ])
}

/// What all of them take.
struct ImageArgument: ParsableArguments {
  @Argument(help: "A file that `faultline fs mkfs` has made.", completion: .file())
  var image: String

  /// Lets `body` see what is there, recovered in memory only.
  func look<Value>(_ body: (ExtentFileSystem) throws -> Value) throws -> Value {
    let fs = try ExtentFileSystem.mount(
      FileDevice(image, access: .inspect), options: MountOptions(readOnly: true))
    defer { fs.abandon() }
    return try body(fs)
  }

  /// Lets `body` change what is there; all of it is durable when this returns, and when it throws, too.
  func change<Value>(_ body: (ExtentFileSystem) throws -> Value) throws -> Value {
    let fs = try ExtentFileSystem.mount(FileDevice(image))
    let result = Result { try body(fs) }
    try fs.unmount()
    return try result.get()
  }
}

extension KernelError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch errno {
    case .EUCLEAN, .EIO, .ENOSPC, .EROFS: .failed
    default: .usage
    }
  }
}

extension DeviceFileError: ExitStatusError {
  var exitStatus: ExitStatus {
    switch code {
    case .inUse: .unavailable
    case .refused: [EACCES, EPERM, ENOSPC, EROFS, EDQUOT].contains(self.errno) ? .unavailable : .usage
    case .notAFile, .notWholePages, .exists: .usage
    }
  }
}

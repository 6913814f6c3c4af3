import CLinux
import Glibc

/// The open file descriptions behind the descriptors of one process, as far as they matter to a trace. Kernel: `struct file`.
///
/// Descriptors that were duplicated share one, and with it the readahead; a second `open` makes another.
struct OpenFiles {
  private struct Key: Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    }
  }

  /// Of each file, the descriptors that were seen and the numbers of what they stand for.
  private var seen: [Key: [(descriptor: Int32, number: Int)]] = [:]

  /// The number of what a descriptor stands for. `fresh` is used up when nothing of this file is known to be the same.
  mutating func number(of descriptor: Int32, _ status: stat, in process: Int32, fresh: inout Int) -> Int {
    let known = seen[Key(status), default: []]
    if let same = known.first(where: { $0.descriptor == descriptor }) { return same.number }
    let twin = known.first { isSame($0.descriptor, descriptor, in: process) }
    let number = twin?.number ?? fresh
    if twin == nil { fresh += 1 }
    seen[Key(status), default: []].append((descriptor, number))
    return number
  }

  /// The descriptor has been opened anew.
  mutating func forget(descriptor: Int32, of status: stat) {
    seen[Key(status)]?.removeAll { $0.descriptor == descriptor }
  }

  /// Where the kernel does not compare, one description for each file is the likelier guess.
  private func isSame(_ one: Int32, _ other: Int32, in process: Int32) -> Bool {
    let answer = cl_same_open_file(process, one, other)
    return answer == 1 || answer < 0 && answer != -EBADF
  }
}

extension Tracer {
  /// The number of the open file description behind a descriptor of the program.
  func openFile(_ descriptor: UInt64, _ status: stat, _ task: TracedTask) -> Int {
    task.space.openFiles.number(
      of: Int32(truncatingIfNeeded: descriptor), status, in: task.process, fresh: &nextOpenFile)
  }
}

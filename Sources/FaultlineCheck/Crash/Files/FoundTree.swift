import Faultline
import FaultlineFS

/// What a file system shows after its recovery, read as a program would.
struct FoundTree: Equatable {
  struct File: Equatable {
    let path: String
    let inode: UInt64
    let size: UInt64
    /// Words that are not zero, in the order of their offsets.
    let words: [Word]
    let extents: [ExtentReport]

    /// Whether one of the file's pages is written and lies at this page of the device.
    func has(_ page: UInt64, at devicePage: UInt64) -> Bool {
      extents.contains {
        $0.isWritten && ($0.page..<$0.page + $0.count).contains(page) && $0.devicePage + (page - $0.page) == devicePage
      }
    }
  }

  struct Word: Equatable {
    let offset: UInt64
    let value: UInt64
  }

  /// In the order of their paths.
  private(set) var files: [File] = []

  /// - Throws: what the file system says to a program that reads.
  init(_ fs: ExtentFileSystem) throws(KernelError) {
    try add(fs, "")
    files.sort { $0.path < $1.path }
  }

  private mutating func add(_ fs: ExtentFileSystem, _ directory: String) throws(KernelError) {
    for entry in try fs.list(directory.isEmpty ? "/" : directory) {
      let path = directory.isEmpty ? entry.name : "\(directory)/\(entry.name)"
      if entry.status.isDirectory {
        try add(fs, path)
      } else {
        files.append(try FoundTree.read(path, fs))
      }
    }
  }

  private static func read(_ path: String, _ fs: ExtentFileSystem) throws(KernelError) -> File {
    let file = try fs.open(path)
    defer { file.close() }
    let extents = try file.extentReport()
    let size = file.size
    var words: [Word] = []
    for extent in extents where extent.isWritten {
      let start = extent.page << PageSize.shift
      let end = min(start + extent.count << PageSize.shift, size)
      guard start < end else { continue }
      let bytes = UnsafeRawPointer(fs.device.bytes + Int(extent.devicePage << PageSize.shift))
      collect(bytes, start..<end, into: &words)
    }
    return File(path: path, inode: file.inode, size: size, words: words, extents: extents)
  }

  /// - Parameter range: its start is a page's.
  private static func collect(_ bytes: UnsafeRawPointer, _ range: Range<UInt64>, into words: inout [Word]) {
    let count = range.count
    for word in 0..<count / 8 {
      let value = bytes.load(fromByteOffset: word * 8, as: UInt64.self)
      if value != 0 { words.append(Word(offset: range.lowerBound + UInt64(word) * 8, value: value)) }
    }
    // The last word of a file may reach past its end; what lies there is not the program's.
    var last: UInt64 = 0
    for byte in (count & ~7)..<count {
      last |= UInt64(bytes.load(fromByteOffset: byte, as: UInt8.self)) << UInt64((byte & 7) * 8)
    }
    if last != 0 { words.append(Word(offset: range.lowerBound + UInt64(count & ~7), value: last)) }
  }
}

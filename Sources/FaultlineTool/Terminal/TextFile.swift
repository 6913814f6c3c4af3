import Glibc

/// Reads and writes whole files, most of them of text.
enum TextFile {
  /// A file that could not be read or written, and why.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// - Throws: ``Failure`` when the file cannot be read or is not UTF-8.
  static func read(_ path: String) throws(Failure) -> String {
    guard let file = fopen(path, "r") else { throw failure(path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    if ferror(file) != 0 { throw failure(path) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(description: "\(path) is not a text in UTF-8")
    }
    return text
  }

  /// - Throws: ``Failure`` when the file cannot be made or filled.
  static func write(_ text: String, to path: String) throws(Failure) { try write(bytes: Array(text.utf8), to: path) }

  /// - Throws: ``Failure`` when the file cannot be made or filled.
  static func write(bytes: [UInt8], to path: String) throws(Failure) {
    guard let file = fopen(path, "w") else { throw unwritable(path) }
    let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    guard fclose(file) == 0, isWritten else { throw unwritable(path) }
  }

  private static func unwritable(_ path: String) -> Failure {
    Failure(description: "cannot write \(path): \(String(cString: strerror(errno)))")
  }

  private static func failure(_ path: String) -> Failure {
    Failure(description: "cannot read \(path): \(String(cString: strerror(errno)))")
  }
}

import CLinux
import Glibc

/// Which file system a directory lies on, as far as the scripts tell them apart.
enum MountTable {
  static func fileSystem(of directory: String) -> ScriptFileSystem? {
    var mounted = cl_file_system()
    guard cl_file_system(directory, &mounted) == 0, let text = KernelProgram.contents(of: "/proc/self/mountinfo") else {
      return nil
    }
    let device = "\(mounted.major):\(mounted.minor)"
    for line in text.split(separator: "\n") {
      // ID, parent, device, root, place, options, optional fields, a hyphen, type, source, options of the file system.
      let words = line.split(separator: " ")
      guard words.count > 3, words[2] == device, let hyphen = words.firstIndex(of: "-"), words.count > hyphen + 3 else {
        continue
      }
      let options = words[hyphen + 3].split(separator: ",")
      switch words[hyphen + 1] {
      case "tmpfs": return options.contains("huge=always") ? .tmpfsHuge : .tmpfs
      case "ext4": return options.contains("data=journal") ? .ext4Journal : .ext4
      case "xfs": return .xfs
      default: return nil
      }
    }
    return nil
  }
}

import ArgumentParser
import Faultline
import FaultlineFS
import FaultlineWhatIf

/// `faultline fs fsck`
struct FsCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck",
    abstract: "Say what is wrong with an image, and mend what can be mended.",
    discussion: """
      What the next mount's recovery will put right is nothing wrong. --repair recovers, makes names, links, orphans and bitmap \
      agree with what the inodes say, and checks again; it takes nothing away that can be reached and read. A damaged \
      inode, directory or extent is not made up: the image stays as it is and can be read.

      Exit codes: 0 nothing is wrong, or not any more; 1 something is.
      """)

  @OptionGroup var image: ImageArgument

  @Flag(help: "Mend it first.")
  var repair = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let before = try findings()
    if repair, try !before.isEmpty || needsRecovery() { try mend() }
    let after = repair ? try findings() : before
    let mended = before.filter { !after.contains($0) }
    if json {
      func list(_ findings: [FaultlineFS.Finding]) -> JSON { .array(findings.map { .string("\($0)") }) }
      print(
        JSON.object([
          .init("clean", .bool(after.isEmpty)), .init("findings", list(after)), .init("mended", list(mended)),
        ]).text)
    } else {
      for finding in mended { print("mended: \(finding)") }
      for finding in after { print(finding) }
      if after.isEmpty { print("clean") }
    }
    if !after.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  private func findings() throws -> [FaultlineFS.Finding] {
    FileSystemCheck.run(try FileDevice(image.image, access: .inspect))
  }

  private func needsRecovery() throws -> Bool { try image.look { !$0.wasClean } }

  private func mend() throws {
    let device = try FileDevice(image.image)
    do throws(KernelError) {
      try ExtentFileSystem.mount(device, options: MountOptions(repairs: true)).unmount()
    } catch {
      // What keeps it from being mounted is among the findings.
      guard error.errno == .EUCLEAN else { throw error }
    }
  }
}

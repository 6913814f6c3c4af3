import Faultline
import Testing

@testable import FaultlineCheck

/// The first stores to four pages of a file with DAX cause the kernels' `fs_dax` events, in their order, with their flags and results.
@Suite struct FirstWriteEventTests {
  /// What was stored to, as the recordings' headings say it.
  struct Section: Sendable, CustomStringConvertible {
    let rules: KernelRules
    let heading: String
    let events: [String]

    /// p0 has ext4, p1 XFS.
    var fileSystem: ScriptFileSystem { heading.hasPrefix("p0") ? .ext4DAX : .xfsDAX }
    var isSynchronous: Bool { heading.split(separator: " ")[1] == "sync" }
    var isAllocated: Bool { heading.hasSuffix("falloc") }
    var description: String { "\(rules.name), \(heading)" }

    var script: String {
      """
      mkfile F0 4 fill=\(isAllocated ? "falloc" : "sparse")
      mmap M0 F0 0 4 rw \(isSynchronous ? "shared_validate,sync" : "shared") at=1
      touchseq M0 w 0 4
      """
    }
  }

  static let sections: [Section] = KernelRules.all.flatMap { rules in
    let text = (try? Recordings.text("first_write_events.\(rules.name).txt")) ?? ""
    let mark = "tracing_mark_write: ## "
    var sections: [Section] = []
    for line in text.split(separator: "\n") {
      if let heading = line.ranges(of: mark).first {
        sections.append(Section(rules: rules, heading: String(line[heading.upperBound...]), events: []))
      } else if let last = sections.popLast(), let event = line.ranges(of: ": dax_").first {
        let shown = shown(line[line.index(event.lowerBound, offsetBy: 2)...])
        sections.append(Section(rules: rules, heading: last.heading, events: last.events + [shown]))
      }
    }
    return sections
  }

  /// An event as the kernel prints it, without what is the machine's own (device, inode, addresses) and without the flag that says
  /// that the entry was looked at already, which the engine passes another way.
  private static func shown(_ event: Substring) -> String {
    let own: Set<Substring> = ["dev", "ino", "address", "vm_start", "vm_end"]
    let words = event.split(separator: " ")
    let kept = words.indices.filter { !own.contains(words[$0]) && ($0 == 0 || !own.contains(words[$0 - 1])) }
    return kept.map { words[$0].hasSuffix("|0x800") ? String(words[$0].dropLast(6)) : String(words[$0]) }
      .joined(separator: " ")
  }

  @Test func everyKernelHasEightSections() {
    for rules in KernelRules.all {
      #expect(Self.sections.count { $0.rules.name == rules.name && !$0.events.isEmpty } == 8)
    }
  }

  @Test(arguments: sections)
  func theEventsAreTheKernels(section: Section) throws {
    let runner = try ScriptRunner(fileSystem: section.fileSystem, rules: section.rules)
    runner.machine.events.start()
    _ = try runner.record(OperationScript(parsing: section.script))
    runner.machine.events.stop()
    let events = runner.machine.events.drain().events.compactMap(Self.shown)
    #expect(events == section.events)
  }

  private static func shown(_ event: EngineEvent) -> String? {
    let names: [EngineEvent.Kind: String] = [
      .directHugeFault: "dax_pmd_fault", .directHugeFaultDone: "dax_pmd_fault_done", .directPageFault: "dax_pte_fault",
      .directPageFaultDone: "dax_pte_fault_done", .directInsert: "dax_insert_pfn_mkwrite",
      .directWriteback: "dax_writeback_range", .directWritebackDone: "dax_writeback_range_done",
      .directWrittenBack: "dax_writeback_one",
    ]
    guard let name = names[event.kind] else { return nil }
    func number(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
    guard let fault = event.fault else {
      return "\(name): pgoff \(number(event.page))-\(number(event.lastPage))"
    }
    let isHuge = event.kind == .directHugeFault || event.kind == .directHugeFaultDone
    let words = [
      "\(name):", fault.areaFlags.contains(.shared) ? "shared" : "private", shown(fault.flags), "pgoff",
      number(event.page), isHuge ? "max_pgoff \(number(fault.filePages))" : "", shown(fault.result),
    ]
    return words.filter { !$0.isEmpty }.joined(separator: " ")
  }

  private static func shown(_ flags: FaultFlags) -> String {
    let names: [(FaultFlags, String)] = [
      (.write, "WRITE"), (.allowRetry, "ALLOW_RETRY"), (.killable, "KILLABLE"), (.tried, "TRIED"), (.user, "USER"),
      (.interruptible, "INTERRUPTIBLE"), (.vmaLock, "VMA_LOCK"),
    ]
    return names.filter { flags.contains($0.0) }.map(\.1).joined(separator: "|")
  }

  private static func shown(_ result: FaultResult) -> String {
    let names: [(FaultResult, String)] = [
      (.major, "MAJOR"), (.noPage, "NOPAGE"), (.retry, "RETRY"), (.fallback, "FALLBACK"),
      (.needsDataSync, "NEEDDSYNC"),
    ]
    return names.filter { result.contains($0.0) }.map(\.1).joined(separator: "|")
  }
}

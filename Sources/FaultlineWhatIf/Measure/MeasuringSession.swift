import CLinux
import Glibc

/// The observer of a measuring run: gives the advice, counts the kernel's own faults in the chosen files.
///
/// Confined to the lock of its ``TracedRun``.
final class MeasuringSession: TraceObserver {
  /// What the sampler must be opened with; a sample's event is an index into it.
  static let events: [FaultSampler.Event] = [.major, .minor]

  weak var tracer: Tracer?
  private let sampler: FaultSampler
  private let files: MappedFiles
  private let chosen: [ChosenFile]
  private let advice: KernelRun.Advice?
  private var isChosen: [Int: Bool] = [:]
  private let pageShift = UInt64(getpagesize().trailingZeroBitCount)

  private(set) var majorFaults = 0
  private(set) var minorFaults = 0
  private(set) var pagesMapped = 0
  private(set) var pagesMappedHuge = 0
  private(set) var readBytes = 0

  init(sampler: FaultSampler, files: MappedFiles, chosen: [ChosenFile], advice: KernelRun.Advice?) {
    self.sampler = sampler
    self.files = files
    self.chosen = chosen
    self.advice = advice
  }

  var progress: Int { majorFaults + minorFaults }
  var holdsBackLocks: Bool { false }
  var wantsFileReads: Bool { false }

  func takeSamples() {
    for sample in sampler.drain().samples {
      guard let space = tracer?.tasks[sample.thread]?.space,
        let mapping = space.mappings.find(sample.address >> pageShift), counts(mapping.file)
      else { continue }
      if Self.events[sample.event] == .major { majorFaults += 1 } else { minorFaults += 1 }
    }
  }

  private func counts(_ file: Int) -> Bool {
    if let known = isChosen[file] { return known }
    let status = files.all[file]
    let answer = chosen.contains { $0.device == status.device && $0.inode == status.inode }
    isChosen[file] = answer
    return answer
  }

  // MARK: Advice

  func didMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask) { advise([mapping], task) }

  func spaceBegan(_ space: TracedSpace, _ task: TracedTask, parent: TracedSpace?, program: String) {
    if parent == nil { advise(space.mappings.all, task) }
  }

  private func advise(_ mappings: [FileMapping], _ task: TracedTask) {
    let mappings = mappings.filter { counts($0.file) }
    guard let advice, !mappings.isEmpty else { return }
    tracer?.inject(into: task) { injection in
      for mapping in mappings {
        _ = injection.call(
          CL_CALL_MADVISE, mapping.pages.lowerBound << pageShift, UInt64(mapping.pages.count) << pageShift,
          UInt64(advice.rawValue))
      }
    }
  }

  func willAdvise(_ range: Range<UInt64>, advice: Int, _ task: TracedTask) -> Bool {
    guard self.advice != nil, (0...2).contains(advice) else { return true }
    return !task.space.mappings.overlapping(range).contains { counts($0.file) }
  }

  // MARK: Counting what is mapped

  func willDrop(_ range: Range<UInt64>, _ task: TracedTask) { countMapped(range, task.space) }

  func spaceEnds(_ space: TracedSpace, _ task: TracedTask) {
    guard let first = space.mappings.all.first, let last = space.mappings.all.last else { return }
    countMapped(first.pages.lowerBound..<last.pages.upperBound, space)
  }

  private func countMapped(_ range: Range<UInt64>, _ space: TracedSpace) {
    let mappings = space.mappings.overlapping(range).filter { counts($0.file) }
    guard !mappings.isEmpty, let scan = PageScan(process: space.process, pageShift: pageShift) else { return }
    for mapping in mappings {
      _ = scan.forEachRun(in: mapping.pages) { run in
        guard run.isPresent else { return }
        pagesMapped += run.pages.count
        if run.isHuge { pagesMappedHuge += run.pages.count }
      }
    }
  }

  /// A thread's account of device reads is its own until it has ended.
  func taskExits(_ task: TracedTask) {
    for line in textLines("/proc/\(task.process)/task/\(task.thread)/io") where line.hasPrefix("read_bytes: ") {
      readBytes += Int(line.dropFirst("read_bytes: ".count)) ?? 0
    }
  }

  // MARK: Not of interest here

  func save() {}
  func taskBegan(_ task: TracedTask) {}
  func taskEnded(_ task: TracedTask, status: Int32) {}
  func spaceStarts(_ space: TracedSpace, _ task: TracedTask) {}
  func spaceEnded(_ space: TracedSpace, _ task: TracedTask) {}
  func willMap(_ request: inout MapRequest, _ task: TracedTask) {}
  func didDrop(_ range: Range<UInt64>, unmapped: Bool, _ task: TracedTask) {}
  func didMove(_ old: Range<UInt64>, to new: Range<UInt64>, _ task: TracedTask) {}
  func didProtect(_ range: Range<UInt64>, _ protection: TraceProtection, _ task: TracedTask) {}
  func willLock(_ range: Range<UInt64>, _ how: TracePopulate, _ task: TracedTask) {}
  func willSync(_ range: Range<UInt64>, flags: Int, _ task: TracedTask) {}
  func fileEvent(_ event: TraceEvent, _ task: TracedTask) {}
}

import Faultline

/// Trace events in the words of the recordings.
extension ScriptRunner {
  /// Starts noting what the operation does, if events are asked for.
  func beginEvents() {
    if printsEvents || printsCalls.contains(.holds) { machine.events.start() }
  }

  func endEvents() {
    guard printsEvents || printsCalls.contains(.holds) else { return }
    machine.events.stop()
    noted = machine.events.drain().events
  }

  /// The recorder does not listen while it makes a file or sums one up.
  func forgetEvents(of operation: Operation) {
    switch operation {
    case .makeFile, .observe: noted = []
    default: break
    }
  }

  /// The events of the operation that just ended; neighbouring pages that came or went are one entry.
  func takeEvents() -> JSONValue {
    var texts: [String] = []
    var run: (kind: EngineEvent.Kind, file: UInt64, order: UInt64, pages: Range<UInt64>)?
    func flush() {
      guard let ended = run, let name = fileName(ended.file) else { return }
      let word = ended.kind == .added ? "add" : "del"
      texts.append("\(word):\(name):\(ended.pages.lowerBound)-\(ended.pages.upperBound - 1):o\(ended.order)")
    }
    for event in noted {
      if event.kind == .added || event.kind == .deleted {
        if let open = run, open.kind == event.kind, open.file == event.file, open.order == event.order,
          open.pages.upperBound == event.page
        {
          run?.pages = open.pages.lowerBound..<event.page + event.count
        } else {
          flush()
          run = (event.kind, event.file, event.order, event.page..<event.page + event.count)
        }
        continue
      }
      guard let text = text(of: event) else { continue }
      flush()
      run = nil
      texts.append(text)
    }
    flush()
    noted = []
    return .array(texts.map(JSONValue.string))
  }

  private func text(of event: EngineEvent) -> String? {
    switch event.kind {
    case .userFault: return "uf:\(place(of: event.page)):0x\(String(event.code, radix: 16))"
    case .kernelFault: return "kf:\(place(of: event.page)):0x\(String(event.code, radix: 16))"
    case .added, .deleted, .held: return nil
    case .fileFault, .mapAround, .readMissing, .readOn, .readWindow, .readPages: break
    default: return fileName(event.file).map { directText(of: event, file: $0) }
    }
    guard rules.tracesPageCache, let file = fileName(event.file) else { return nil }
    let window = event.window
    let sizes =
      "order=\(event.order) size=\(window.size) async_size=\(window.asyncSize) ra_pages=\(window.maximum)"
    let state = "\(sizes) mmap_miss=\(window.misses) prev_pos=\(Int64(bitPattern: window.previousPosition))"
    switch event.kind {
    case .fileFault: return "ff:\(file):\(event.page)"
    case .mapAround: return "mp:\(file):\(event.page)-\(event.page + event.count - 1)"
    case .readMissing: return "sra:\(file):\(event.page)+\(event.count) \(state)"
    case .readOn: return "ara:\(file):\(event.page)+\(event.count) \(state)"
    case .readWindow: return "rao:\(file):\(event.page) \(sizes)"
    default: return "rau:\(file):\(event.page)+\(event.count) look=\(event.lookahead)"
    }
  }

  private func fileName(_ number: UInt64) -> String? { files.first { $0.node.number == number }?.name }

  /// The newest mapping that has the page, and the page in it.
  func place(of page: UInt64) -> String {
    for mapping in mappings.reversed() where mapping.isLive {
      let index = Int64(bitPattern: page &- mapping.base.page)
      if index >= 0, index < mapping.pages { return "\(mapping.name):\(index)" }
    }
    return "arena:\(arenaPage(of: VirtualAddress(page: page)))"
  }
}

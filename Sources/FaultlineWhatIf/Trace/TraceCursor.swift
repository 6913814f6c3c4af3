/// A place in a trace. The replay loop takes touches while there are any, then one record, and so on:
///
/// ```swift
/// while !cursor.isAtEnd {
///   while let touch = cursor.nextTouch() { … }
///   if let record = cursor.nextRecord() { … }
/// }
/// ```
/// A value: copying it remembers a place. `nextTouch` neither allocates nor retains, and checks nothing that ``Trace`` has checked.
public struct TraceCursor {
  private var position: UnsafeRawPointer
  private let start: UnsafeRawPointer
  private let end: UnsafeRawPointer
  private let owner: Trace

  init(records: UnsafeRawBufferPointer, owner: Trace) {
    position = records.baseAddress!
    start = position
    end = position + records.count
    self.owner = owner
  }

  public var isAtEnd: Bool { position >= end }

  /// Bytes of the records that lie behind, of ``Trace/recordBytes``.
  public var bytesRead: Int { position - start }

  /// The touch at this place; nil, without moving, when a record of another kind or the end is here.
  public mutating func nextTouch() -> TraceTouch? {
    guard position < end else { return nil }
    let word = UInt64(littleEndian: position.load(as: UInt64.self))
    guard UInt8(truncatingIfNeeded: word) < TraceFormat.firstEventKind else { return nil }
    let touch = TraceTouch(word: word, time: UInt64(littleEndian: position.load(fromByteOffset: 8, as: UInt64.self)))
    position += TraceFormat.headBytes
    return touch
  }

  /// The record at this place that is not a touch; nil, without moving, when a touch or the end is here.
  /// Kinds that this version does not know are passed over.
  public mutating func nextRecord() -> TraceRecord? {
    while position < end {
      let word = UInt64(littleEndian: position.load(as: UInt64.self))
      guard UInt8(truncatingIfNeeded: word) >= TraceFormat.firstEventKind else { return nil }
      let time = UInt64(littleEndian: position.load(fromByteOffset: 8, as: UInt64.self))
      let bytes = Int((word >> 28) & 0xFF_FFFF) * 8
      let payload = UnsafeRawBufferPointer(
        start: position + TraceFormat.headBytes, count: bytes - TraceFormat.headBytes)
      position += bytes
      if let kind = TraceEventKind(rawValue: UInt8(truncatingIfNeeded: word)),
        let event = TraceEvent(kind: kind, words: payload.bindMemory(to: UInt64.self))
      {
        return TraceRecord(time: time, task: Int((word >> 12) & 0xFFFF), event: event)
      }
    }
    return nil
  }
}

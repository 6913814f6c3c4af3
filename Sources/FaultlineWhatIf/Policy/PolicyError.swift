/// Why a policy text is none: what was wrong, where in the text, and what a right one looks like.
public struct PolicyError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Sendable, Equatable {
    case empty
    case noValue(key: String)
    case unknownKey(String)
    case repeatedKey(String)
    case unknownAdvice(String)
    case notASize(String)
    case tooLarge(String, limit: UInt64)
    case unprintableName
  }

  public let reason: Reason
  /// What was asked for.
  public let text: String
  /// The character of `text`, counted from 1, at which the wrong part begins.
  public let position: Int

  public var description: String {
    "policy '\(text)', character \(position): \(complaint); "
      + "a policy looks like 'madvise=random,readahead=128K,around=64K'"
  }

  private var complaint: String {
    switch reason {
    case .empty: "nothing is set"
    case .noValue(let key): "'\(key)' has no value"
    case .unknownKey(let key): "'\(key)' is not one of madvise, readahead, around, name"
    case .repeatedKey(let key): "'\(key)' is given twice"
    case .unknownAdvice(let value):
      "'\(value)' is not one of \(Policy.Madvise.allCases.map(\.rawValue).joined(separator: ", "))"
    case .notASize(let value): "'\(value)' is not a size such as 0, 4096, 128K or 4M"
    case .tooLarge(let value, let limit): "\(value) is above the limit of \(ByteSize.format(limit))"
    case .unprintableName: "a name is made of printable characters"
    }
  }
}

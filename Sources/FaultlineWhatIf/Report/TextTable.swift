/// Columns of text under a head, each as wide as its widest cell; the first column is flush left, the others right.
public struct TextTable: Sendable {
  private var rows: [[String]]

  public init(head: [String]) { rows = [head] }

  /// A row may be shorter than the head; the missing cells are empty.
  public mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, without a newline after the last.
  public var text: String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}

import { invalid } from '../errors.ts'

/** How a field can be asked: tokens exactly, texts also by a part, numbers also by comparison. */
export type FieldType = 'token' | 'text' | 'number'

export interface Clause {
  /** The field's name; of metadata the key is apart. */
  readonly field: string
  readonly key: string | null
  readonly negated: boolean
  readonly operator: ':' | '~' | '>' | '<' | '>=' | '<='
  /** Null asks whether there is a value at all. */
  readonly value: string | null
}

export interface SearchQuery {
  readonly joined: 'AND' | 'OR'
  readonly clauses: readonly Clause[]
}

const MAX_CLAUSES = 10

/** `-field["key"]` and an operator, then a quoted text, a number, or `null`. */
const CLAUSE =
  /(-)?([a-z_0-9.]+)(?:\[(?:"((?:\\.|[^"\\])+)"|'((?:\\.|[^'\\])+)')\])?(:|~|>=|<=|>|<)(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(-?\d+(?:\.\d+)?|null|NULL|true|false))/y
const JOIN = /\s+(?:(AND|OR)\s+)?/iy

/**
 * Reads Stripe's query language: clauses that all hold, or of which one holds; the two are not mixed and there
 * are no parentheses. https://docs.stripe.com/search#search-query-language
 */
export function parseQuery(text: string): SearchQuery {
  const query = text.trim()
  const clauses: Clause[] = []
  const joins = new Set<'AND' | 'OR'>()
  for (let at = 0; ; ) {
    CLAUSE.lastIndex = at
    const found = CLAUSE.exec(query)
    if (found === null) throw unreadable()
    clauses.push(clauseOf(found))
    at = CLAUSE.lastIndex
    if (at === query.length) break
    JOIN.lastIndex = at
    const join = JOIN.exec(query)
    if (join === null) throw unreadable()
    joins.add(join[1]?.toUpperCase() === 'OR' ? 'OR' : 'AND')
    at = JOIN.lastIndex
  }
  if (joins.size > 1) throw invalid('`AND` and `OR` cannot be mixed in one search query.')
  if (clauses.length > MAX_CLAUSES) {
    throw invalid(`A search query can have at most ${MAX_CLAUSES} clauses.`)
  }
  return { joined: joins.has('OR') ? 'OR' : 'AND', clauses }
}

function clauseOf(found: RegExpExecArray): Clause {
  const [, minus, field = '', doubleKey, singleKey, operator = ':', double, single, bare] = found
  const key = doubleKey ?? singleKey
  const quoted = double ?? single
  const missing = quoted === undefined && bare?.toLowerCase() === 'null'
  return {
    field,
    key: key === undefined ? null : unescaped(key),
    negated: minus !== undefined,
    operator: operator as Clause['operator'],
    value: missing ? null : quoted === undefined ? (bare ?? '') : unescaped(quoted),
  }
}

/** A backslash keeps a quote inside quotes. */
function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1')
}

function unreadable() {
  return invalid(
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.',
  )
}

/** Whether a value of a field of this type satisfies the clause. Texts are compared without regard to case. */
export function satisfies(clause: Clause, type: FieldType, value: unknown): boolean {
  return holds(clause, type, value) !== clause.negated
}

function holds({ operator, value: wanted }: Clause, type: FieldType, value: unknown): boolean {
  const absent = value === null || value === undefined
  if (wanted === null) return absent
  if (absent) return false
  if (operator === '~') return folded(value).includes(wanted.toLowerCase())
  if (type !== 'number') return folded(value) === wanted.toLowerCase()
  const [left, right] = [Number(value), Number(wanted)]
  switch (operator) {
    case '>':
      return left > right
    case '<':
      return left < right
    case '>=':
      return left >= right
    case '<=':
      return left <= right
    case ':':
      return left === right
  }
}

/** A token may be a number or a boolean: `refunded:"true"`. */
function folded(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase()
}

/** Refuses what the type of the field does not offer. */
export function checkClause({ field, operator, value }: Clause, type: FieldType): void {
  if (operator === '~' && type !== 'text') {
    throw invalid(`The field \`${field}\` does not support substring matching with \`~\`.`)
  }
  if (operator === '~' && (value ?? '').length < 3) {
    throw invalid('Substring search needs at least three characters.')
  }
  if (operator !== ':' && operator !== '~' && type !== 'number') {
    throw invalid(`The field \`${field}\` does not support the numeric comparator \`${operator}\`.`)
  }
  if (type === 'number' && value !== null && !/^-?\d+(\.\d+)?$/.test(value)) {
    throw invalid(`The field \`${field}\` needs a numeric value.`)
  }
}

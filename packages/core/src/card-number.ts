/** First digits of payment cards, `[from, to]` of equal length, and how long such numbers are. */
interface Issuer {
  readonly prefixes: readonly (readonly [from: number, to: number])[]
  readonly lengths: readonly number[]
}

/**
 * The ranges of ISO/IEC 7812 that the card networks publish: Visa, Mastercard, American Express,
 * Discover, Diners Club, JCB, UnionPay, Maestro. Numbers that begin otherwise are no card's: an epoch in
 * milliseconds begins with 1.
 */
const issuers: readonly Issuer[] = [
  { prefixes: [[4, 4]], lengths: [13, 16, 19] },
  { prefixes: [[51, 55]], lengths: [16] },
  { prefixes: [[2221, 2720]], lengths: [16] },
  {
    prefixes: [
      [34, 34],
      [37, 37],
    ],
    lengths: [15],
  },
  {
    prefixes: [
      [6011, 6011],
      [644, 649],
      [65, 65],
    ],
    lengths: [16, 17, 18, 19],
  },
  {
    prefixes: [
      [300, 305],
      [3095, 3095],
      [36, 36],
      [38, 39],
    ],
    lengths: [14, 15, 16, 17, 18, 19],
  },
  { prefixes: [[3528, 3589]], lengths: [16, 17, 18, 19] },
  { prefixes: [[62, 62]], lengths: [16, 17, 18, 19] },
  {
    prefixes: [
      [5018, 5018],
      [5020, 5020],
      [5038, 5038],
      [5893, 5893],
      [6304, 6304],
      [6759, 6759],
      [6761, 6763],
    ],
    lengths: [13, 14, 15, 16, 17, 18, 19],
  },
]

const LONGEST = 19

/** The longest telephone number, with its country (ITU-T E.164). */
const LONGEST_TELEPHONE = 15

/** What divides the groups of a number: blanks, dashes, dots or low lines, up to two of them. */
const BREAK = '[\\p{Zs}\\p{Pd}\\t._]{1,2}'
/** What machines name things by. Its digits are no number, whatever they look like. */
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const ULID = '0[0-9a-hjkmnp-tv-z]{25}'

/** A name, or digits in groups, the way people write a card's number; after a plus, a telephone's. */
const RUN = new RegExp(
  `(?<![0-9a-z])(?:${UUID}|${ULID})(?![0-9a-z])|(?:(?<![0-9a-z])\\+)?(?<run>\\d+(?:${BREAK}\\d+)*)`,
  'giu',
)
/** Four by four it is a card also where more digits touch it: its security code, or when it ends. */
const IN_FOURS = new RegExp(`\\d{4}(?:${BREAK}\\d{4}){3}`, 'gu')

/**
 * Whether a text holds a payment card's number: by its issuer, its length and its check digit. A number
 * is seen alone or in groups, never inside a longer number: an id of 24 digits is no card.
 */
export function hasCardNumber(text: string): boolean {
  return hideCardNumbers(text, '') !== text
}

/** The text with `[card]`, or another word, in place of each card number. */
export function hideCardNumbers(text: string, word = '[card]'): string {
  return text.replace(RUN, (found: string, run: string | undefined) => {
    if (run === undefined) return found
    const plus = found.slice(0, found.length - run.length)
    return plus + hideInFours(hideInRun(run, word, plus === '' ? 0 : LONGEST_TELEPHONE), word)
  })
}

/** A number that begins the run is a card's only if it is longer than so many digits. */
function hideInRun(run: string, word: string, longerThan: number): string {
  const groups = run.split(BREAKS)
  let rest = ''
  for (let from = 0; from < groups.length; ) {
    const to = endOfCard(groups, from, from === 0 ? longerThan : 0)
    rest += to === undefined ? groups[from] : word
    from = to ?? from + 1
  }
  return rest
}

const BREAKS = new RegExp(`(${BREAK})`, 'u')

/** Where the card number that begins at a group ends; groups and what divides them take turns. */
function endOfCard(groups: readonly string[], from: number, longerThan: number): number | undefined {
  if (from % 2 === 1) return undefined
  let digits = ''
  for (let at = from; at < groups.length && digits.length <= LONGEST; at += 2) {
    digits += groups[at]
    if (digits.length > longerThan && isCardNumber(digits)) return at + 1
  }
  return undefined
}

function hideInFours(run: string, word: string): string {
  return run.replace(IN_FOURS, (fours) => (isCardNumber(fours.replace(/\D/g, '')) ? word : fours))
}

/** Of digits alone. */
export function isCardNumber(digits: string): boolean {
  const known = issuers.some(
    ({ prefixes, lengths }) =>
      lengths.includes(digits.length) && prefixes.some((range) => startsWithin(digits, range)),
  )
  return known && passesLuhn(digits)
}

function startsWithin(digits: string, [from, to]: readonly [number, number]): boolean {
  const start = Number(digits.slice(0, String(from).length))
  return start >= from && start <= to
}

/** ISO/IEC 7812-1, annex B: every second digit from the right counts double, as the sum of its digits. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let fromRight = 0; fromRight < digits.length; fromRight += 1) {
    const digit = Number(digits[digits.length - 1 - fromRight])
    const counted = fromRight % 2 === 1 ? digit * 2 : digit
    sum += counted > 9 ? counted - 9 : counted
  }
  return sum % 10 === 0
}

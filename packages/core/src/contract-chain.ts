import { type ContractDocument, canonicalText, type Person, type Sha256 } from './contract.ts'

/** A contract as it stands in a store, of which nothing is believed. */
export interface ChainLink {
  readonly id: string
  readonly sequence: number
  /** SHA-256 of `text`, in hex, as the store has it. */
  readonly hash: string
  /** The document's canonical JSON. */
  readonly text: string
  /** Null when it was erased. */
  readonly person: Person | null
}

export type ChainReport =
  | {
      readonly intact: true
      readonly contracts: number
      /** Contracts whose personal data were erased: of those, only that the rest stands can be said. */
      readonly erased: number
      /** Digest of the newest one; null where there is none. Kept elsewhere, it shows a lost end. */
      readonly head: string | null
    }
  | {
      readonly intact: false
      /** The first link that does not hold. */
      readonly contract: string
      readonly sequence: number
      readonly reason: string
    }

/**
 * Walks a customer's contracts from the first to the newest. Every text must have its digest, every
 * contract the one before, every person the digest that the contract carries.
 */
export function verifyChain(customer: string, links: readonly ChainLink[], sha256: Sha256): ChainReport {
  let previous: string | null = null
  for (const [index, link] of links.entries()) {
    const reason = whyBroken(customer, link, { sequence: index + 1, previous }, sha256)
    if (reason !== undefined) {
      return { intact: false, contract: link.id, sequence: link.sequence, reason }
    }
    previous = link.hash
  }
  const erased = links.filter(({ person }) => person === null).length
  return { intact: true, contracts: links.length, erased, head: previous }
}

function whyBroken(
  customer: string,
  { id, sequence, hash, text, person }: ChainLink,
  expected: { readonly sequence: number; readonly previous: string | null },
  sha256: Sha256,
): string | undefined {
  if (sequence !== expected.sequence) return `contract ${expected.sequence} is missing`
  if (sha256(text) !== hash) return 'the text does not have the digest that was recorded'
  const document = read(text)
  if (!document) return 'the text is no contract'
  if (document.id !== id || document.sequence !== sequence) return 'the text is that of another contract'
  if (document.buyer.customer !== customer) return 'the text is that of another customer'
  if (document.previous !== expected.previous) return 'it does not carry the digest of the contract before'
  if (person && sha256(canonicalText(person)) !== document.buyer.person) {
    return 'the personal data do not have the digest that the contract carries'
  }
  return undefined
}

function read(text: string): ContractDocument | undefined {
  try {
    const document = JSON.parse(text) as ContractDocument
    return canonicalText(document) === text ? document : undefined
  } catch {
    // Whatever it is, it is not what was written.
    return undefined
  }
}

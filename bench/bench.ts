/** One line of the table. */
export interface Line {
  readonly name: string
  /** Of `value` and `baseline`. */
  readonly unit: string
  /** What the ratio must reach; the higher the better, always. */
  readonly bar: number
}

/** What is measured, and what it is held against in the same run. */
export interface Bench extends Line {
  run(options: RunOptions): Promise<Measured>
}

interface RunOptions {
  /** Of one half of a pass. */
  readonly seconds: number
  /** Tells what is going on. */
  readonly note: (text: string) => void
}

export interface Measured {
  /** Ours; the median of the passes. */
  readonly value: number
  /** The reference's. */
  readonly baseline: number
  readonly ratio: number
  /** Of the passes, smallest first. */
  readonly ratios: readonly number[]
  /** What else is worth knowing: latencies, what the generator took. */
  readonly remarks: readonly string[]
  /** What the same run tells besides, each with a bar of its own. */
  readonly also?: readonly (Line & Measured)[]
}

const PASSES = 3

export interface Pass {
  readonly reference: number
  readonly product: number
}

/**
 * Takes reference and product in turns, so that whatever else the machine does meets both. Rates: the
 * ratio of a pass is product ÷ reference.
 */
export async function interleave(
  reference: () => Promise<number>,
  product: () => Promise<number>,
): Promise<Pass[]> {
  const passes: Pass[] = []
  for (let i = 0; i < PASSES; i += 1) {
    passes.push({ reference: await reference(), product: await product() })
  }
  return passes
}

export function summarize(
  passes: readonly Pass[],
  ratioOf: (pass: Pass) => number,
  remarks: readonly string[] = [],
): Measured {
  const ratios = passes.map(ratioOf).sort((a, b) => a - b)
  return {
    value: median(passes.map(({ product }) => product)),
    baseline: median(passes.map(({ reference }) => reference)),
    ratio: median(ratios),
    ratios,
    remarks,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

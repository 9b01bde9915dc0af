import type { Random } from '../random.ts'

/** Ids of deliveries that are to be made, in order. */
export class DeliveryQueue {
  #ids: string[] = []
  #head = 0

  get length(): number {
    return this.#ids.length - this.#head
  }

  push(...ids: readonly string[]): void {
    this.#ids.push(...ids)
  }

  /** The next in order; with `random` any one. */
  take(random?: Random): string | undefined {
    if (random !== undefined && this.length > 1) this.#swap(this.#head, this.#any(random))
    const next = this.#ids[this.#head]
    if (next !== undefined) this.#head++
    // The front is cut off now and then, so that a long queue is not moved at every step.
    if (this.#head > 1000 || this.#head === this.#ids.length) {
      this.#ids = this.#ids.slice(this.#head)
      this.#head = 0
    }
    return next
  }

  /** Puts one that was taken behind at least one of those that wait. False when none does. */
  putBehind(id: string, random: Random): boolean {
    if (this.length === 0) return false
    this.#ids.splice(this.#any(random) + 1, 0, id)
    return true
  }

  #any(random: Random): number {
    return this.#head + Math.floor(random() * this.length)
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#ids[a] as string, this.#ids[b] as string]
    this.#ids[a] = second
    this.#ids[b] = first
  }
}

const BLANK = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null }

/** An address as it is answered, wherever one is: every line of it is there, and null where nothing was said. */
export type WholeAddress = { [K in keyof typeof BLANK]: string | null }

export function whole(
  said: { readonly [K in keyof typeof BLANK]?: string | null | undefined },
): WholeAddress {
  return { ...BLANK, ...said }
}

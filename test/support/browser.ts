import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser that is installed on this machine: TEST_BROWSER, or where Debian puts it; undefined without one. */
export const browserPath = [process.env.TEST_BROWSER ?? '', ...PLACES].find((path) => existsSync(path))

/** Starts it without a window. As root it has no sandbox, and in a container little shared memory. */
export function openBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error('There is no browser.')
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath: browserPath, args: [...root, '--disable-dev-shm-usage'] })
}

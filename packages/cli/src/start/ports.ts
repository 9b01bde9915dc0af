import { createServer } from 'node:net'

/** A port of this machine that somebody else has. */
class PortTaken extends Error {
  readonly remedy: string

  constructor(port: number, what: string, variable: string) {
    super(`Port ${port}, for ${what}, is taken.`)
    this.name = 'PortTaken'
    this.remedy = `Stop what listens there (perhaps another \`npm start\`), or choose another: ${variable}=${port + 1} npm start`
  }
}

/** Asked before anything is started, so that nothing has to be stopped again. */
export async function checkPort(port: number, what: string, variable: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new PortTaken(port, what, variable) : error),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}

import process from 'node:process'
import { GatehouseError } from '../kit/errors.ts'
import { ConfigError, nearestName } from '../kit/problems.ts'
import { type Command, commandHelp, parseCommandLine } from './command.ts'

/** Every command: what it is for, and where it lives (loaded when it is called). */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  up: {
    summary: 'run the whole sign-in chain in one process',
    load: async () => (await import('./up.ts')).up,
  },
  explain: {
    summary: 'tell why a request is answered as it is, and what would change that',
    load: async () => (await import('./explain.ts')).explain,
  },
  check: {
    summary: 'find what is wrong with the files of a sign-in chain, and mend it',
    load: async () => (await import('./check.ts')).check,
  },
  users: {
    summary: 'list, add and change the users of the running or stopped chain',
    load: async () => (await import('./users.ts')).users,
  },
  'oauth2-proxy': {
    summary: 'run in place of oauth2-proxy, with its flags, variables and files',
    load: async () => (await import('./oauth2-proxy.ts')).oauth2Proxy,
  },
  authservice: {
    summary: 'run in place of oidc-authservice or oidc-gatekeeper, with its variables',
    load: async () => (await import('./authservice.ts')).authservice,
  },
  login: {
    summary: 'sign in to a platform from a terminal, for kfp, curl and scripts',
    load: async () => (await import('./login.ts')).login,
  },
  tokens: {
    summary: 'list and revoke your personal access tokens at a platform',
    load: async () => (await import('./tokens.ts')).tokens,
  },
  version: {
    summary: 'print the versions of Gatehouse and Node',
    load: async () => (await import('./version.ts')).version,
  },
}

/** Runs `gatehouse ARGS`. @returns the exit status: 0 done, 1 failed, 2 called wrongly. */
export async function runCli(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return tellHelp(rest[0])
  if (name === '--version') return runCommand('version', [])
  return runCommand(name, rest)
}

async function tellHelp(name: string | undefined): Promise<number> {
  if (name !== undefined) return runCommand(name, ['--help'])
  const rows = Object.entries(commands).map(([command, { summary }]) => `  ${command.padEnd(12)} ${summary}`)
  const lines = [
    'gatehouse COMMAND [OPTIONS]',
    '',
    'Sign-in for Kubernetes ML platforms, in one program.',
    '',
    'Commands',
    ...rows,
  ]
  process.stdout.write(`${lines.join('\n')}\n\nMore: gatehouse COMMAND --help\n`)
  return 0
}

async function runCommand(name: string, args: readonly string[]): Promise<number> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!entry) {
    const known = Object.keys(commands)
    const near = nearestName(name, known)
    return complain(
      `unknown command \`${name}\`${near ? `; did you mean \`${near}\`?` : ''} (known: ${known.join(', ')})`,
      2,
    )
  }
  const command = await entry.load()
  if (command.readsArguments) return command.run({ positionals: args, options: {}, lists: {} })
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(commandHelp(name, command))
    return 0
  }
  try {
    return await command.run(parseCommandLine(command, args))
  } catch (error) {
    if (error instanceof ConfigError) return complainOf(error)
    if (!(error instanceof GatehouseError)) throw error
    return complain(error.message, error.code === 'usage' ? 2 : 1)
  }
}

/** The problems as they are, so that editors and terminals find file and line; then what to make of them. */
function complainOf({ message, problems }: ConfigError): number {
  const count = (severity: string) => {
    const found = problems.filter((problem) => problem.severity === severity).length
    return found === 0 ? [] : [`${found} ${severity}${found === 1 ? '' : 's'}`]
  }
  process.stderr.write(`${message}\n\n`)
  return complain(`${[...count('error'), ...count('warning')].join(' and ')}; correct the errors, then try again`, 1)
}

function complain(message: string, status: number): number {
  process.stderr.write(`gatehouse: ${message}\n`)
  return status
}

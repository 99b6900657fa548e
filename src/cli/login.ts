import { homedir, hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { clientFiles, writeClientFiles } from '../app/client-files.ts'
import { signInFromTerminal } from '../app/terminal-login.ts'
import type { Command } from './command.ts'
import { openBrowser } from './open-browser.ts'
import { platformUrl } from './platform-url.ts'
import { print, style } from './terminal.ts'

/** `gatehouse login` */
export const login: Command = {
  usage: 'URL',
  summary: 'sign in to a platform from a terminal, for kfp, curl and scripts',
  options: {
    label: { type: 'string', value: 'NAME', help: 'what the token is called in your list (default: this host’s name)' },
    path: {
      type: 'string',
      value: 'PATH',
      help: 'a path the token may use, with all below it (default: all)',
      isList: true,
    },
    days: { type: 'string', value: 'N', help: 'how long it lives (default 30)' },
    prefix: { type: 'string', value: 'PATH', help: 'where the proxy’s own pages are (default /oauth2)' },
    'no-browser': { type: 'boolean', help: 'only print the link' },
    print: { type: 'boolean', help: 'print the token, and write no files' },
  },
  details: [
    '  Opens a link in a browser, here or on any other machine, and waits until you have signed in there. The token it',
    '  gets acts as you until it ends or you revoke it (gatehouse tokens). Written, for your eyes only:',
    '    ~/.config/kfp/context.json           kfp.Client() and the kfp command use it',
    '    ~/.config/gatehouse/HOST.curlrc      curl -K FILE URL',
  ].join('\n'),
  async run({ positionals, options, lists }) {
    const url = platformUrl(positionals, 'gatehouse login URL')
    const paths = lists['path'] ?? []
    const got = await signInFromTerminal(
      {
        url,
        prefix: String(options['prefix'] ?? '/oauth2'),
        label: String(options['label'] ?? hostname()),
        paths,
        days: String(options['days'] ?? '30'),
      },
      {
        fetch: (input, init) => fetch(input, init),
        now: () => Date.now(),
        wait: async (seconds) => void (await pause(seconds * 1000)),
        show(link, code) {
          process.stderr.write(`Open this link and compare the code ${style.bold(code)}:\n\n  ${link}\n\n`)
          if (options['no-browser'] !== true) openBrowser(link)
        },
      },
    )
    if (options['print'] === true) {
      print(got.token)
      return 0
    }
    const files = clientFiles(homedir(), url)
    writeClientFiles(files, got)
    const [path = '/'] = paths
    print(`${style.good('✓')} signed in as ${style.bold(got.email)} until ${got.expires.slice(0, 10)}`)
    if (paths.length === 0 || paths.some((one) => /^\/(pipeline\/?)?$/.test(one)))
      print(`  kfp   kfp.Client(host='${url}/pipeline')`)
    print(`  curl  curl -K ${files.curl} ${url}${path.replace(/\/?$/, '/')}`)
    print(style.dim(`  to end it: gatehouse tokens revoke ${url}`))
    return 0
  },
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { type FrontAddresses, frontSuite } from './front-suite.ts'
import { describeWith, startProgram } from './programs.ts'

describeWith({ name: 'caddy', from: 'the Debian package caddy' }, (caddy) => {
  frontSuite((addresses) => {
    const directory = workDirectory('caddy')
    const file = join(directory, 'Caddyfile')
    writeFileSync(file, configuration(addresses))
    const args = ['run', '--config', file, '--adapter', 'caddyfile']
    return startProgram(caddy, args, {
      port: addresses.port,
      env: { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory, HOME: directory },
    })
  })
})

/** As oauth2-proxy's documentation shows it (docs/configuration/integrations/caddy.md), paths added. */
function configuration({ port, gatehouse, application }: FrontAddresses): string {
  const copied = 'copy_headers X-Auth-Request-User>X-User X-Auth-Request-Email>X-Email X-Auth-Request-Groups>X-Groups'
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}

http://127.0.0.1:${port} {
  bind 127.0.0.1

  @own path /oauth2/* /dex/* /auth/* /gatehouse/*
  handle @own {
    reverse_proxy ${gatehouse} {
      header_up X-Real-IP {remote_host}
    }
  }

  handle /api/* {
    forward_auth ${gatehouse} {
      uri /oauth2/auth
      ${copied}
    }
    reverse_proxy ${application}
  }

  handle {
    forward_auth ${gatehouse} {
      uri /oauth2/auth
      ${copied}

      @unauthorized status 401
      handle_response @unauthorized {
        rewrite * /oauth2/sign_in
        reverse_proxy ${gatehouse} {
          header_up X-Auth-Request-Redirect {http.request.orig_uri}
        }
      }
    }
    reverse_proxy ${application}
  }
}
`
}

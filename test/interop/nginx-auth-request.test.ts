import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workDirectory } from '../world/programs.ts'
import { type FrontAddresses, frontSuite } from './front-suite.ts'
import { describeWith, startProgram } from './programs.ts'

describeWith({ name: 'nginx', from: 'the Debian package nginx-light' }, (nginx) => {
  frontSuite((addresses) => {
    const directory = workDirectory('nginx')
    mkdirSync(join(directory, 'temp'))
    const file = join(directory, 'nginx.conf')
    writeFileSync(file, configuration(directory, addresses))
    return startProgram(nginx, ['-p', directory, '-c', file], { port: addresses.port })
  })
})

/** The server block is the one of oauth2-proxy's documentation (docs/configuration/integration.md), paths added. */
function configuration(directory: string, { port, gatehouse, application }: FrontAddresses): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/temp/${name};`,
  )
  return `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  large_client_header_buffers 4 32k;
  proxy_buffer_size 32k;
  proxy_buffers 8 32k;
  proxy_busy_buffers_size 64k;
  proxy_http_version 1.1;

  server {
    listen 127.0.0.1:${port};

    location ~ ^/(oauth2|dex|auth|gatehouse)/ {
      proxy_pass ${gatehouse};
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Auth-Request-Redirect $request_uri;
    }
    location = /oauth2/auth {
      proxy_pass ${gatehouse};
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-Uri $request_uri;
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
    }
    location / {
      auth_request /oauth2/auth;
      error_page 401 = /oauth2/sign_in;
      include ${directory}/application.conf;
    }
    location /api/ {
      auth_request /oauth2/auth;
      include ${directory}/application.conf;
    }
  }
}
`.replaceAll(`include ${directory}/application.conf;`, applicationBlock(application))
}

function applicationBlock(application: string): string {
  return `auth_request_set $user $upstream_http_x_auth_request_user;
      auth_request_set $email $upstream_http_x_auth_request_email;
      auth_request_set $groups $upstream_http_x_auth_request_groups;
      proxy_set_header X-User $user;
      proxy_set_header X-Email $email;
      proxy_set_header X-Groups $groups;
      proxy_pass ${application};`
}

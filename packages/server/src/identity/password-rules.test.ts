import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { assertStrongPassword } from './password-rules.ts';

function verdict(password: string, username = 'maria'): string {
  try {
    assertStrongPassword(password, username);
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('weak_password');
    return (error as AppError).message;
  }
}

describe('assertStrongPassword', () => {
  it.each([
    'change_me_please', 'CHANGE_ME_NOW!', 'changeme12345', 'change-this-password', 'please_change_me_2026',
    'replace_this_value', 'your-password-here', 'your_secret_here!', 'admin1234567', 'administrator', 'adminadmin123',
    'password1234', 'Password12345!', 'p@ssw0rd12345', 'P4ssw0rd!!!!', 'passwordpassword', 'my-secret-password',
    'qwerty123456', 'qwertyuiop12', '1qaz2wsx3edc'.replace(/\d/g, ''), 'letmein12345', 'welcome2026!!', 'iloveyou1234',
    'secret_secret', 'supersecret123', 'default_password', 'example_password', 'placeholder123', 'test_password1',
    'testtesttest', 'dashboard_admin', 'tallygate_admin', 'tallygate12345', 'rootrootroot', 'root_password',
    'guestguest123', 'demo_password_1', 'changeitchangeit', 'temporary_pass1',
    'insecure_default', 'todo_set_password', 'openai_secret_1', 'postgrespostgres', 'ｐａｓｓｗｏｒｄ１２３４',
    'monkey123456', 'dragon_dragon', 'undefined_undefined',
  ])('(TW-01) refuses %s', (password) => {
    expect(verdict(password)).not.toBe('ok');
  }); // biome-ignore format: a list

  it.each([
    'superstar2024!!', '!!Christopher1', 'chocolatechocolate', 'Liverpool#1234', 'B4rc3l0na2023', 'spongebob2010!',
    '1q2w3e4r5t6y', '1qaz2wsx3edc', 'q1w2e3r4t5y6', 'unbelievable',
  ])('(TW-01) refuses the common password %s', (password) => {
    expect(verdict(password)).toMatch(/well-known/);
  }); // biome-ignore format: a list

  it.each([
    'liverpool dragon chocolate', 'superstar8429175603', 'orange-monkey-lamp-7', 'xQ7-vv2-kd9-mmL',
  ])('takes %s: several words, or enough that nobody guesses', (password) => {
    expect(verdict(password)).toBe('ok');
  }); // biome-ignore format: a list

  it.each([
    'aaaaaaaaaaaa',
    '111111111111',
    'abababababab',
    'abcabcabcabc',
    '121212121212',
    'xyxyxyxyxyxyxyx',
    'xkqzwpxkqzwp',
    'xkqzwpxkqzwpxkqzwpxkq',
  ])('refuses the repetition %s', (password) => {
    expect(verdict(password)).toMatch(/repeats/);
  });

  it.each([
    'abcdefghijkl',
    '123456789012',
    '0987654321098',
    'zyxwvutsrqpo',
    'ABCDEFGHIJKL',
    '1234-5678-9012',
  ])('refuses the run %s', (password) => {
    expect(verdict(password)).not.toBe('ok');
  });

  it.each([
    ['maria.lopez@example.org', 'maria.lopez@example.org'],
    ['MariaLopezGarcia', 'marialopezgarcia'],
    ['marialopezgarcia1', 'marialopezgarcia'],
  ])('refuses the user name as password: %s', (password, username) => {
    expect(verdict(password, username)).not.toBe('ok');
  });

  it('counts characters, not bytes', () => {
    expect(verdict('pqx🙂🙃🙂🙃🙂🙃')).toMatch(/too short/);
    expect(verdict('short')).toMatch(/too short/);
  });

  it.each([
    'correct horse battery', 'tall-giraffe-eats-mangoes', 'Vf7#kq9!Lm2@xP', 'hJ3kd9fLq0sZ', 'blue teapot over Lisbon',
    'adminton racket shuttle', 'eine kleine Nachtmusik', 'любимая бабушка печёт', 'passing clouds over Reykjavik',
  ])('takes %s', (password) => {
    expect(verdict(password)).toBe('ok');
  }); // biome-ignore format: a list

  it('takes random passwords and never repeats one in the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 48 }), (bytes) => {
        const password = Buffer.from(bytes).toString('base64url');
        fc.pre(new Set(password).size >= 8);
        expect(verdict(password)).toBe('ok');
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9#%&]{6,11}$/), (password) => {
        expect(verdict(password)).not.toContain(password);
      }),
    );
  });
});

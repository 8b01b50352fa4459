export interface PasswordRule {
  text: string;
  met: boolean;
}

/** The rules that can be seen while typing. The server has the last word: it also knows the common passwords. */
export function passwordRules(password: string, username: string): PasswordRule[] {
  const name = username.trim().toLowerCase();
  return [
    { text: 'At least 12 characters', met: [...password].length >= 12 },
    {
      text: 'Not your user name, not one character repeated',
      met:
        password !== '' &&
        (name === '' || password.toLowerCase() !== name) &&
        new Set(password.toLowerCase()).size > 3,
    },
  ];
}

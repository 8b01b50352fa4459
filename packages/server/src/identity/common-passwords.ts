/**
 * Stems that people put where a password should be. A password is refused when nothing but digits, punctuation,
 * repetition or another stem is added to one of these, so each line stands for thousands of variants (TW-01).
 */
export const WEAK_STEMS: readonly string[] = [
  'abc', 'abcdef', 'access', 'admin', 'administrator', 'anthropic', 'asdf', 'asdfgh', 'asdfghjkl', 'baseball',
  'batman', 'change', 'changeit', 'changeme', 'changethis', 'claude', 'dashboard',
  'default', 'demo', 'dragon', 'dummy', 'example', 'fixme', 'football', 'foobar', 'gateway', 'guest', 'hello',
  'hunter', 'iloveyou', 'insecure', 'letmein', 'login', 'lorem', 'manager', 'master', 'mongo', 'monkey', 'mypass',
  'mypassword', 'mysecret', 'mysql', 'nopassword', 'openai', 'operator', 'owner', 'pass', 'passphrase', 'passwd',
  'password', 'passwort', 'placeholder', 'postgres', 'princess', 'qazwsx', 'qwert', 'qwerty', 'qwertyuiop',
  'qwertz', 'redis', 'replace', 'replaceme', 'replacethis', 'root', 'sample', 'secret', 'secure', 'server',
  'setme', 'shadow', 'starwars', 'sunshine', 'superman', 'superuser', 'supersecret', 'sysadmin', 'system', 'tallygate', 'temp',
  'temporary', 'test', 'tester', 'testing', 'todo', 'token', 'trustno', 'undefined', 'user', 'username', 'welcome',
  'whatever', 'your', 'yourpassword', 'yoursecret', 'zxcvbn',
]; // biome-ignore format: a word list

/** Words that only glue stems together in placeholders such as `please_change_this_password_now`. */
export const FILLER_WORDS: readonly string[] = [
  'a', 'an', 'and', 'before', 'here', 'i', 'in', 'is', 'it', 'long', 'me', 'must', 'my', 'new', 'not', 'now', 'of', 'please',
  'production', 'prod', 'dev', 'local', 'set', 'strong', 'the', 'this', 'to', 'use', 'value', 'very', 'with', 'xxx',
]; // biome-ignore format: a word list

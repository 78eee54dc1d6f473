// Prints hashes, which Tests/Guest/Catalogue/DigestTests.cs compares with those that it computes itself. A program that does no more cryptography than
// this gets the small layer (Sdk/Link/digests.c) in place of OpenSSL's.

Digests.Print(Console.WriteLine);

/* A shared object to be read by test_file.c; its exports and relocations are known there. */
int fixture_one(int x);
int fixture_two(int x);
static int fixture_hidden(int x);

int fixture_data = 7;
int *fixture_pointers[100] = {&fixture_data, &fixture_data, 0, &fixture_data};
int (*fixture_functions[2])(int) = {fixture_hidden, fixture_hidden};

__attribute__((noinline)) static int fixture_hidden(int x)
{
    return x + fixture_data;
}

int fixture_one(int x)
{
    return fixture_hidden(x) * 2;
}

int fixture_two(int x)
{
    return fixture_hidden(x) * 3;
}

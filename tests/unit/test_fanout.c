/*
 * The choices of a fleet: each member chooses k others, nearly each has k observers, and
 * few pairs change when a member joins or leaves.
 */
#include "fleet.h"

#include "peers/fanout.h"

#define FLEETS 40
#define MEMBERS_MAX 400
#define FANOUT_MAX 32

/* A fleet of random names, and whom each of them pings. */
struct mesh {
	size_t count, fanout;
	uint64_t seeds[MEMBERS_MAX];
	bool chosen[MEMBERS_MAX][MEMBERS_MAX];
};

static void choose(struct mesh *mesh)
{
	for (size_t i = 0; i < mesh->count; i++)
		fanout_choose(mesh->seeds, mesh->count,
			      (struct fanout_observer){mesh->seeds[i], i}, mesh->fanout,
			      mesh->chosen[i]);
}

static uint64_t random_seed(uint64_t *seed)
{
	char name[32];

	snprintf(name, sizeof(name), "Node%llu.example",
		 (unsigned long long)fleet_random(seed, UINT64_C(1) << 40));
	return fanout_seed(name);
}

static struct mesh *random_mesh(uint64_t *seed, size_t least)
{
	struct mesh *mesh = calloc(1, sizeof(*mesh));

	assert_non_null(mesh);
	mesh->fanout = 1 + fleet_random(seed, FANOUT_MAX);
	mesh->count = least + fleet_random(seed, MEMBERS_MAX - least);
	for (size_t i = 0; i < mesh->count; i++)
		mesh->seeds[i] = random_seed(seed);
	choose(mesh);
	return mesh;
}

static size_t chosen_by(const struct mesh *mesh, size_t observer)
{
	size_t count = 0;

	for (size_t i = 0; i < mesh->count; i++)
		count += mesh->chosen[observer][i];
	return count;
}

static size_t observers_of(const struct mesh *mesh, size_t member)
{
	size_t count = 0;

	for (size_t i = 0; i < mesh->count; i++)
		count += mesh->chosen[i][member];
	return count;
}

static void each_member_chooses_k_others_or_all(void **state)
{
	uint64_t seed = fleet_seed();

	(void)state;
	for (size_t i = 0; i < FLEETS; i++) {
		struct mesh *mesh = random_mesh(&seed, 2);
		size_t most = mesh->fanout < mesh->count ? mesh->fanout : mesh->count - 1;

		for (size_t j = 0; j < mesh->count; j++) {
			assert_int_equal(chosen_by(mesh, j), most);
			assert_false(mesh->chosen[j][j]);
		}
		free(mesh);
	}
}

/* Where a successor was chosen before, one member has an observer less, another one more. */
static void nearly_every_member_has_k_observers(void **state)
{
	uint64_t seed = fleet_seed();

	(void)state;
	for (size_t i = 0; i < FLEETS; i++) {
		struct mesh *mesh = random_mesh(&seed, 4 * FANOUT_MAX);
		size_t missing = 0;

		for (size_t j = 0; j < mesh->count; j++) {
			size_t observers = observers_of(mesh, j);

			assert_true(observers >= 1);
			if (observers < mesh->fanout)
				missing += mesh->fanout - observers;
		}
		/* k(k-1)/2 of them on the average. */
		assert_true(missing <= mesh->fanout * mesh->fanout + 12);
		free(mesh);
	}
}

/* From the first along the edges, or against them. */
static size_t reached(const struct mesh *mesh, bool against)
{
	bool seen[MEMBERS_MAX] = {true};
	size_t queue[MEMBERS_MAX] = {0}, head = 0, tail = 1;

	for (; head < tail; head++) {
		for (size_t i = 0; i < mesh->count; i++) {
			size_t from = queue[head];

			if (seen[i] ||
			    !(against ? mesh->chosen[i][from] : mesh->chosen[from][i]))
				continue;
			seen[i] = true;
			queue[tail++] = i;
		}
	}
	return tail;
}

static void fleet_is_connected_with_a_fanout_of_one(void **state)
{
	uint64_t seed = fleet_seed();

	(void)state;
	for (size_t i = 0; i < FLEETS; i++) {
		struct mesh *mesh = random_mesh(&seed, 2);

		mesh->fanout = 1 + i % 3;
		choose(mesh);
		assert_int_equal(reached(mesh, false), mesh->count);
		assert_int_equal(reached(mesh, true), mesh->count);
		free(mesh);
	}
}

static void the_order_of_the_list_does_not_matter(void **state)
{
	uint64_t seed = fleet_seed();
	struct mesh *mesh = random_mesh(&seed, 50), *other = calloc(1, sizeof(*other));

	(void)state;
	assert_non_null(other);
	other->count = mesh->count;
	other->fanout = mesh->fanout;
	for (size_t i = 0; i < mesh->count; i++)
		other->seeds[mesh->count - 1 - i] = mesh->seeds[i];
	choose(other);
	for (size_t i = 0; i < mesh->count; i++)
		for (size_t j = 0; j < mesh->count; j++)
			assert_int_equal(
				mesh->chosen[i][j],
				other->chosen[mesh->count - 1 - i][mesh->count - 1 - j]);
	free(other);
	free(mesh);
}

/* The last one of the list leaves. */
static void member_that_leaves_changes_about_2k_pairs(void **state)
{
	uint64_t seed = fleet_seed();

	(void)state;
	for (size_t i = 0; i < FLEETS; i++) {
		struct mesh *mesh = random_mesh(&seed, 8 * FANOUT_MAX);
		struct mesh *left = calloc(1, sizeof(*left));
		size_t changed = 0;

		assert_non_null(left);
		*left = *mesh;
		left->count--;
		choose(left);
		for (size_t j = 0; j < left->count; j++)
			for (size_t k = 0; k < mesh->count; k++)
				changed += mesh->chosen[j][k] !=
					   (k < left->count && left->chosen[j][k]);
		assert_true(changed <= 4 * mesh->fanout + 8);
		free(left);
		free(mesh);
	}
}

static void node_outside_the_list_chooses_by_its_name(void **state)
{
	uint64_t seed = fleet_seed();
	struct mesh *mesh = random_mesh(&seed, 50);
	bool outside[MEMBERS_MAX];
	size_t last = mesh->count - 1;

	(void)state;
	fanout_choose(mesh->seeds, last,
		      (struct fanout_observer){mesh->seeds[last], FANOUT_OUTSIDE},
		      mesh->fanout, outside);
	assert_memory_equal(outside, mesh->chosen[last], last);
	/* All of them, where they are no more than k. */
	fanout_choose(mesh->seeds, 3, (struct fanout_observer){1, FANOUT_OUTSIDE}, 3,
		      outside);
	assert_true(outside[0] && outside[1] && outside[2]);
	fanout_choose(mesh->seeds, 0, (struct fanout_observer){1, FANOUT_OUTSIDE}, 3,
		      outside);
	free(mesh);
}

/* Names that differ in case alone, or by the chance of a collision. */
static void equal_places_form_a_ring(void **state)
{
	const uint64_t seeds[] = {7, 7, 7, 7};
	bool chosen[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fanout_choose(seeds, 4, (struct fanout_observer){7, i}, 1, chosen);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(chosen[j], j == (i + 1) % 4);
	}
}

static void seed_depends_on_the_name_but_not_on_its_case(void **state)
{
	(void)state;
	assert_true(fanout_seed("Worker1.Example") == fanout_seed("worker1.example"));
	assert_false(fanout_seed("worker1") == fanout_seed("worker2"));
	assert_false(fanout_seed("worker1") == fanout_seed("worker1 "));
	assert_false(fanout_seed("") == fanout_seed("a"));
}

/* By an independent implementation: tests/behaviour/rings.py. */
static void seeds_are_as_documented(void **state)
{
	(void)state;
	assert_true(fanout_seed("worker1") == UINT64_C(0x2da4918d61ed1db6));
	assert_true(fanout_seed("K\xc3\x84") == UINT64_C(0xaeca9656218dc061));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_member_chooses_k_others_or_all),
		cmocka_unit_test(nearly_every_member_has_k_observers),
		cmocka_unit_test(fleet_is_connected_with_a_fanout_of_one),
		cmocka_unit_test(the_order_of_the_list_does_not_matter),
		cmocka_unit_test(member_that_leaves_changes_about_2k_pairs),
		cmocka_unit_test(node_outside_the_list_chooses_by_its_name),
		cmocka_unit_test(equal_places_form_a_ring),
		cmocka_unit_test(seed_depends_on_the_name_but_not_on_its_case),
		cmocka_unit_test(seeds_are_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
